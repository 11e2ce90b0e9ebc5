import type { Bytes } from '../host/host.ts';

/** Host ports of a `PublishPort=`. `address` is empty for all addresses of both families. */
export interface PublishedPort {
  readonly address: string;
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

/** undefined when no host port is fixed, or the value is of another form. */
export function publishedPorts(value: Bytes): PublishedPort | undefined {
  const slash = value.indexOf('/');
  const protocol = slash < 0 ? 'tcp' : value.slice(slash + 1).toLowerCase();
  const text = slash < 0 ? value : value.slice(0, slash);
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1;
  const address = bracket < 0 ? '' : text.slice(1, bracket);
  const parts = (bracket < 0 ? text : text.slice(bracket + 2)).split(':');
  parts.pop();
  const host = parts.pop();
  if (host === undefined || !/^[0-9]+(-[0-9]+)?$/.test(host)) return undefined;
  const [first = 0, last = first] = host.split('-').map(Number);
  return { address: address === '' ? (parts[0] ?? '') : address, first, last, protocol };
}
