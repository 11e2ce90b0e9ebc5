import { addressesMeet } from '../base/addresses.ts';
import { bad, type Draft } from './draft.ts';
import { readDigits } from './parse-values.ts';
import type { PortRequest } from './request.ts';

const FORM = 'write [[ADDRESS:]HOSTPORT:]PORT[/tcp|udp|sctp]';

/**
 * `--publish [[ADDRESS:][HOSTPORT]:]PORT[/PROTOCOL]`, ports as ranges, IPv6 addresses in brackets; of `--expose` the last two alone.
 */
export function parsePort(draft: Draft, option: 'publish' | 'expose', value: string): void {
  const slash = value.lastIndexOf('/');
  const protocol = slash < 0 ? 'tcp' : value.slice(slash + 1).toLowerCase();
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') {
    return bad(draft, option, value, `${protocol} is not tcp, udp or sctp`);
  }
  const text = slash < 0 ? value : value.slice(0, slash);
  if (option === 'expose') {
    const range = readRange(text);
    if (range === undefined) return bad(draft, option, value, `${text} is not a port from 1 to 65535`);
    draft.request.exposed.push({ hostAddress: '', hostPort: 0, port: range.first, count: range.count, protocol });
    return;
  }
  const parts = splitAddress(text);
  if (parts === undefined) return bad(draft, 'publish', value, 'not understood', FORM);
  const inside = readRange(parts.port);
  if (inside === undefined) return bad(draft, 'publish', value, `${parts.port} is not a port from 1 to 65535`, FORM);
  const outside = parts.hostPort === '' ? { first: 0, count: inside.count } : readRange(parts.hostPort);
  if (outside === undefined)
    return bad(draft, 'publish', value, `${parts.hostPort} is not a port from 1 to 65535`, FORM);
  if (outside.count !== inside.count) {
    return bad(draft, 'publish', value, `${outside.count} ports outside but ${inside.count} inside`);
  }
  if (parts.address !== '' && !isAddress(parts.address)) {
    return bad(draft, 'publish', value, `${parts.address} is not an IP address`, FORM);
  }
  draft.request.ports.push({
    hostAddress: parts.address,
    hostPort: outside.first,
    port: inside.first,
    count: inside.count,
    protocol,
  });
}

/** Ports of two publications that overlap are reported once, by name. */
export function checkPorts(draft: Draft): void {
  const { ports } = draft.request;
  for (let i = 1; i < ports.length; i++) {
    const later = ports[i];
    const clash = later && ports.slice(0, i).find(earlier => overlap(earlier, later));
    if (clash && later) {
      const text = `${later.hostAddress === '' ? '' : `${later.hostAddress}:`}${later.hostPort}`;
      bad(draft, 'publish', text, `the ${later.protocol} port is published twice`);
    }
  }
}

function overlap(a: PortRequest, b: PortRequest): boolean {
  if (a.protocol !== b.protocol || a.hostPort === 0 || b.hostPort === 0) return false;
  if (!addressesMeet(a.hostAddress, b.hostAddress)) return false;
  return a.hostPort < b.hostPort + b.count && b.hostPort < a.hostPort + a.count;
}

function splitAddress(text: string): { address: string; hostPort: string; port: string } | undefined {
  if (text.startsWith('[')) {
    const end = text.indexOf(']:');
    if (end < 0) return undefined;
    const [hostPort, port, ...more] = text.slice(end + 2).split(':');
    if (hostPort === undefined || more.length > 0) return undefined;
    // `[::1]:80` names no host port.
    return { address: text.slice(1, end), hostPort: port === undefined ? '' : hostPort, port: port ?? hostPort };
  }
  const parts = text.split(':');
  const port = parts.pop() ?? '';
  const hostPort = parts.pop() ?? '';
  const address = parts.pop() ?? '';
  return parts.length > 0 ? undefined : { address, hostPort, port };
}

export function readRange(text: string): { first: number; count: number } | undefined {
  const dash = text.indexOf('-');
  const first = readDigits(dash < 0 ? text : text.slice(0, dash), 65535);
  const last = dash < 0 ? first : readDigits(text.slice(dash + 1), 65535);
  if (first === undefined || last === undefined || first < 1 || last < first) return undefined;
  return { first, count: last - first + 1 };
}

/** A literal IPv4 or IPv6 address. */
export function isAddress(text: string): boolean {
  return text.includes(':') ? isAddress6(text) : isAddress4(text);
}

export function isAddress4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every(part => part.length <= 3 && readDigits(part, 255) !== undefined);
}

export function isAddress6(text: string): boolean {
  const zone = text.indexOf('%');
  let rest = zone < 0 ? text : text.slice(0, zone);
  let groups = 8;
  const dot = rest.lastIndexOf(':');
  if (rest.includes('.')) {
    if (!isAddress4(rest.slice(dot + 1))) return false;
    rest = `${rest.slice(0, dot + 1)}0:0`;
  }
  const halves = rest.split('::');
  if (halves.length > 2) return false;
  for (const half of halves) {
    if (half === '') continue;
    for (const group of half.split(':')) {
      if (!isHex(group)) return false;
      groups--;
    }
  }
  return halves.length === 2 ? groups >= 1 : groups === 0;
}

function isHex(group: string): boolean {
  if (group === '' || group.length > 4) return false;
  for (const c of group) if (!'0123456789abcdefABCDEF'.includes(c)) return false;
  return true;
}
