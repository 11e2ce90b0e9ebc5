import { version } from '../../base/version.ts';
import type { Host } from '../../host/host.ts';
import { parseDigest } from '../digest.ts';
import type { Reference } from '../reference.ts';
import type { Digest } from '../types.ts';
import type { AccessOptions } from './access-options.ts';
import { basicHeader } from './basic.ts';
import { certificateFiles, systemAuthorities } from './certificate-files.ts';
import { parseChallenges } from './challenge.ts';
import { findCredentials } from './credentials.ts';
import { apiHost, endpointsOf, isInsecure, type Endpoint } from './endpoints.ts';
import { ACCEPTED } from './media-types.ts';
import type { RegistriesConf } from './registries-conf.ts';

/** Asks a server without Node: native/ask/ask.c. */
export const ASK = '/usr/lib/berth/ask';

/** Milliseconds for one question. A line that takes longer is worth Node's patience. */
const TIMEOUT = 5000;

/**
 * The digest that a tag has, by one question to the endpoint that is asked first, of the simplest kind: without a proxy, no
 * redirect, and at most the credentials of `Basic`. undefined for anything else: then `Registry.head` asks, and says what is wrong. Throws
 * what reading the configuration throws.
 */
export function quickDigest(
  host: Host,
  conf: RegistriesConf,
  reference: Reference,
  options: AccessOptions,
): Digest | undefined {
  const [endpoint] = endpointsOf(conf, reference);
  if (endpoint === undefined || mayHaveProxy(host)) return undefined;
  const words = wordsFor(host, endpoint, options);
  const question = (secret: string): string => questionText(endpoint, reference, secret);
  const first = words === undefined ? undefined : ask(host, words, question(''));
  if (words === undefined || first?.status !== 401) return digestOf(first);
  // A name that is spoken to without TLS gets no password here: that is for Node to decide.
  if (!first.secure || !offersOnlyBasic(first)) return undefined;
  const { authfile, creds } = options;
  const credentials = findCredentials(host, conf, {
    registry: endpoint.host,
    path: endpoint.path,
    ...(creds === undefined || endpoint.mirror ? {} : { creds }),
    ...(authfile === undefined ? {} : { authfile }),
  });
  if (credentials?.kind !== 'password') return undefined;
  const second = ask(host, words, question(`authorization: ${basicHeader(credentials)}\r\n`));
  return second?.secure === true ? digestOf(second) : undefined;
}

function mayHaveProxy(host: Host): boolean {
  return ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some(name => (host.environment(name) ?? '') !== '');
}

/** undefined: without authorities of the system nothing can be verified here. */
function wordsFor(host: Host, endpoint: Endpoint, options: AccessOptions): string[] | undefined {
  const parts = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(apiHost(endpoint.host));
  if (parts === null) return undefined;
  const insecure = isInsecure(endpoint, options);
  const { ca, own } = certificateFiles(host, endpoint.host, options.certDir);
  const system = systemAuthorities(host).find(path => host.access(path, 4));
  const authorities = [...ca, ...(system === undefined ? [] : [system])];
  if (!insecure && authorities.length === 0) return undefined;
  return [
    ASK,
    insecure ? 'either' : 'tls',
    (parts[1] ?? '').replace(/^\[|\]$/g, ''),
    parts[2] ?? '443',
    ...(insecure ? [] : authorities.map(path => `ca=${path}`)),
    ...(own === undefined ? [] : [`cert=${own.cert}`, `key=${own.key}`]),
  ];
}

function questionText(endpoint: Endpoint, reference: Reference, secret: string): string {
  const lines = [
    `HEAD /v2/${endpoint.path}/manifests/${reference.digest ?? reference.tag} HTTP/1.1`,
    `host: ${apiHost(endpoint.host)}`,
    `user-agent: berth/${version()}`,
    `accept: ${ACCEPTED}`,
    'connection: close',
  ];
  return `${lines.join('\r\n')}\r\n${secret}\r\n`;
}

/** The head of an answer: names in lower case, each with all its values. */
export interface Head {
  readonly secure: boolean;
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

function ask(host: Host, words: readonly string[], question: string): Head | undefined {
  const { status, stdout } = host.run({
    argv: words,
    input: question,
    stdout: 'capture',
    stderr: 'capture',
    timeout: TIMEOUT,
  });
  if (status !== 0) return undefined;
  const head = parseHead(stdout.slice(1));
  return head === undefined ? undefined : { secure: stdout.startsWith('s'), ...head };
}

/** RFC 9112, 4 and 5, without what is obsolete; undefined when it is not of the form. */
export function parseHead(text: string): Omit<Head, 'secure'> | undefined {
  const [first = '', ...rest] = text.split('\r\n');
  const status = /^HTTP\/1\.[01] ([2-5]\d\d)(?: [^\r\n]*)?$/.exec(first)?.[1];
  if (status === undefined || rest.pop() !== '' || rest.pop() !== '') return undefined;
  const headers = new Map<string, string[]>();
  for (const line of rest) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), value.trimEnd()]);
  }
  return { status: Number(status), headers };
}

function digestOf(head: Head | undefined): Digest | undefined {
  const values = head?.status === 200 ? (head.headers.get('docker-content-digest') ?? []) : [];
  return values.length === 1 ? parseDigest(values[0]) : undefined;
}

function offersOnlyBasic(head: Head): boolean {
  const challenges = parseChallenges((head.headers.get('www-authenticate') ?? []).join(', '));
  return challenges.length > 0 && challenges.every(one => one.scheme === 'basic');
}
