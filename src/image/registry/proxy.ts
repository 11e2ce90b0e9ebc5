import { BlockList, isIP } from 'node:net';
import { RegistryError } from './error.ts';

/** A proxy and what it is told about us; the header is a secret. */
export interface Proxy {
  readonly url: URL;
  readonly authorization?: string;
}

/**
 * The proxy for an address, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY (or in lower case) say; undefined: none. Loopback never goes through one.
 * https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config, so that it is the same for the peer.
 */
export function proxyFor(target: URL, environment: (name: string) => string | undefined): Proxy | undefined {
  const variable = target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const value = environment(variable) ?? environment(variable.toLowerCase()) ?? '';
  const exceptions = environment('NO_PROXY') ?? environment('no_proxy') ?? '';
  if (value === '' || isExcepted(target, exceptions)) return undefined;
  return parseProxy(value, variable);
}

export function parseProxy(value: string, variable: string): Proxy {
  let url: URL | undefined;
  try {
    url = new URL(value.includes('://') ? value : `http://${value}`);
  } catch {
    // Said below; the value may hold a password.
  }
  if (url === undefined || url.hostname === '')
    throw new RegistryError('configuration', `${variable}: not an address; write http://HOST:PORT`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new RegistryError(
      'configuration',
      `${variable}: proxies of the kind ${url.protocol.slice(0, -1)} are not supported; use an http proxy`,
    );
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const plain = new URL(`${url.protocol}//${url.host}`);
  if (credentials === ':') return { url: plain };
  return { url: plain, authorization: `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}` };
}

export function isExcepted(target: URL, exceptions: string): boolean {
  const name = target.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
  if (name === 'localhost' || isLoopback(name)) return true;
  const port = target.port !== '' ? target.port : target.protocol === 'https:' ? '443' : '80';
  return exceptions
    .split(',')
    .map(one => one.trim().toLowerCase())
    .some(one => one !== '' && matches(one, name, port));
}

/** `*`, an address, a range, `host`, `.domain`, each with an optional port. */
function matches(rule: string, name: string, port: string): boolean {
  if (rule === '*') return true;
  if (rule.includes('/')) return inRange(rule, name);
  const parts = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(rule);
  const pattern = (parts?.[1] ?? rule).replace(/^\[|\]$/g, '');
  if (parts?.[2] !== undefined && parts[2] !== port) return false;
  if (isIP(pattern) !== 0) return pattern === name;
  const domain = pattern.replace(/^\*?\./, '');
  return name.endsWith(`.${domain}`) || (domain === pattern && name === domain);
}

function inRange(rule: string, name: string): boolean {
  const [network = '', bits = ''] = rule.split('/');
  const family = isIP(network);
  if (family === 0 || isIP(name) !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return list.check(name, family === 4 ? 'ipv4' : 'ipv6');
}

function isLoopback(name: string): boolean {
  return name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}
