import { formatReference, parseReference, type Reference } from '../reference.ts';
import type { AccessOptions } from './access-options.ts';
import { RegistryError } from './error.ts';
import type { Mirror, RegistriesConf, RegistryTable } from './registries-conf.ts';

/** Where an image may be fetched from. */
export interface Endpoint {
  /** `HOST[:PORT]`, as certificates and credentials name it. */
  readonly host: string;
  /** Path of the repository there. */
  readonly path: string;
  readonly insecure: boolean;
  /** A mirror: nothing is pushed to it, and its failure is not the end. */
  readonly mirror: boolean;
}

/**
 * The endpoints of a full reference, mirrors first. containers-registries.conf(5): the longest prefix counts.
 * Throws `policy` for a blocked registry.
 */
export function endpointsOf(conf: RegistriesConf, reference: Reference): Endpoint[] {
  const name = `${reference.registry}/${reference.path}`;
  const found = longestMatch(conf.registries, reference);
  if (found === undefined) return [{ host: reference.registry, path: reference.path, insecure: false, mirror: false }];
  const { table, matched } = found;
  if (table.blocked) throw new RegistryError('policy', `${name}: ${table.file} blocks the registry ${table.prefix}`);
  const rest = name.slice(matched);
  const mirrors = table.mirrors
    .filter(mirror => serves(mirror, reference))
    .map(mirror => place(`${mirror.location}${rest}`, mirror.insecure, true, table));
  return [...mirrors, place(table.location === '' ? name : `${table.location}${rest}`, table.insecure, false, table)];
}

/** Whether the endpoint is believed as it is, and may do without TLS. */
export function isInsecure(endpoint: Endpoint, options: AccessOptions): boolean {
  return options.tlsVerify === undefined ? endpoint.insecure : !options.tlsVerify;
}

/** Docker's registry is not at its name. */
export function apiHost(host: string): string {
  return host === 'docker.io' ? 'registry-1.docker.io' : host;
}

/** The name as text and how many characters of it the table's prefix stands for. */
function longestMatch(
  tables: readonly RegistryTable[],
  reference: Reference,
): { table: RegistryTable; matched: number } | undefined {
  const name = `${reference.registry}/${reference.path}`;
  const full = formatReference(reference);
  let best: { table: RegistryTable; matched: number } | undefined;
  let length = -1;
  for (const table of tables) {
    const matched = matchLength(table.prefix, full, reference.registry);
    if (matched === undefined || table.prefix.length <= length) continue;
    length = table.prefix.length;
    best = { table, matched: Math.min(matched, name.length) };
  }
  return best;
}

/** How much of the reference a prefix covers; undefined when it does not match. `*.example.com` covers the host, but for its port. */
export function matchLength(prefix: string, full: string, registry: string): number | undefined {
  if (prefix.startsWith('*.'))
    return [registry, registry.replace(/:\d+$/, '')].find(name => name.endsWith(prefix.slice(1)))?.length;
  if (!full.startsWith(prefix)) return undefined;
  const next = full.charAt(prefix.length);
  return next === '' || next === '/' || next === ':' || next === '@' ? prefix.length : undefined;
}

function serves(mirror: Mirror, reference: Reference): boolean {
  if (mirror.pull === 'all') return true;
  return (mirror.pull === 'digest-only') === (reference.digest !== undefined);
}

function place(name: string, insecure: boolean, mirror: boolean, table: RegistryTable): Endpoint {
  const slash = name.indexOf('/');
  const host = slash < 0 ? name : name.slice(0, slash);
  const path = slash < 0 ? '' : name.slice(slash + 1);
  // What is put together must be a name again: it becomes part of an address.
  const parsed = parseReference(`${host.includes('.') || host.includes(':') ? host : `${host}.invalid`}/${path}`);
  if (parsed === undefined)
    throw new RegistryError(
      'configuration',
      `${table.file}: ${table.prefix} becomes ${name}, which is no name of an image`,
    );
  return { host, path, insecure, mirror };
}
