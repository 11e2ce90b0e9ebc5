import { describe } from '../../base/problem.ts';
import { parseToml } from '../../base/toml.ts';
import type { Host } from '../../host/host.ts';
import { RegistryError } from './error.ts';
import { registriesFiles } from './registries-files.ts';

/** Among the credential helpers: the files, auth.json and the like. */
export const AUTH_FILES = 'containers-auth.json';

/** registries.conf and its drop-ins, put together. containers-registries.conf(5), version 2 */
export interface RegistriesConf {
  /** Where the main file is, for messages. */
  readonly file: string;
  readonly search: readonly string[];
  readonly mode: 'enforcing' | 'permissive' | 'disabled';
  readonly aliases: ReadonlyMap<string, string>;
  readonly registries: readonly RegistryTable[];
  /** Helpers and AUTH_FILES, in the order in which they are asked. */
  readonly credentialHelpers: readonly string[];
}

export interface RegistryTable {
  readonly prefix: string;
  /** Empty: what is written. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly Mirror[];
  readonly file: string;
}

export interface Mirror {
  readonly location: string;
  readonly insecure: boolean;
  readonly pull: 'all' | 'digest-only' | 'tag-only';
}

/**
 * Reads `$CONTAINERS_REGISTRIES_CONF`, else the account's own file, else /etc/containers/registries.conf; then the drop-ins of the system
 * and of the account, and the aliases that the account has recorded. Later ones replace earlier ones by prefix, alias and key.
 */
export function readRegistriesConf(host: Host): RegistriesConf {
  const files = registriesFiles(host);
  const [file = ''] = files;
  const parts = files.map(path => readPart(host, path)).filter(part => part !== undefined);
  const helpers = parts.findLast(part => part.helpers !== undefined)?.helpers ?? [];
  return {
    file,
    search: parts.findLast(part => part.search !== undefined)?.search ?? [],
    mode: parts.findLast(part => part.mode !== undefined)?.mode ?? 'permissive',
    credentialHelpers: helpers.length === 0 ? [AUTH_FILES] : helpers,
    aliases: new Map(parts.flatMap(part => part.aliases)),
    registries: [...new Map(parts.flatMap(part => part.registries).map(table => [table.prefix, table])).values()],
  };
}

interface Part {
  readonly search?: readonly string[];
  readonly mode?: RegistriesConf['mode'];
  readonly helpers?: readonly string[];
  readonly aliases: readonly (readonly [string, string])[];
  readonly registries: readonly RegistryTable[];
}

function readPart(host: Host, file: string): Part | undefined {
  const bytes = host.readFileIfExists(file, 4 << 20);
  if (bytes === undefined) return undefined;
  const parsed = parseToml(bytes, file);
  if (parsed.isErr()) throw new RegistryError('configuration', parsed.error.map(describe).join('; '));
  const top = new Table(parsed.value, file, '');
  if (top.has('registries')) {
    throw new RegistryError(
      'configuration',
      `${file}: [registries]: version 1 of the format; write [[registry]] tables`,
    );
  }
  const mode = top.oneOf('short-name-mode', ['enforcing', 'permissive', 'disabled']);
  const search = top.texts('unqualified-search-registries');
  const helpers = top.texts('credential-helpers');
  return {
    ...(search === undefined ? {} : { search }),
    ...(mode === undefined ? {} : { mode }),
    ...(helpers === undefined ? {} : { helpers }),
    aliases: aliasesOf(top),
    registries: top.tables('registry').map(table => registryOf(table, file)),
  };
}

function aliasesOf(top: Table): (readonly [string, string])[] {
  const aliases = top.table('aliases');
  return aliases === undefined ? [] : aliases.names().map(name => [name, aliases.text(name) ?? ''] as const);
}

function registryOf(table: Table, file: string): RegistryTable {
  const location = (table.text('location') ?? '').replace(/\/+$/, '');
  const prefix = (table.text('prefix') ?? location).replace(/\/+$/, '');
  if (prefix === '') throw table.wrong('location', 'is missing, and prefix too');
  if (prefix.includes('*') && !/^\*\.[^*/]+$/.test(prefix))
    throw table.wrong('prefix', `is ${prefix}: * stands for subdomains, without a path: *.example.com`);
  checkLocation(table, 'location', location);
  const digestOnly = table.flag('mirror-by-digest-only');
  const mirrors = table.tables('mirror').map(mirror => {
    const place = (mirror.text('location') ?? '').replace(/\/+$/, '');
    if (place === '') throw mirror.wrong('location', 'is missing');
    checkLocation(mirror, 'location', place);
    const pull =
      mirror.oneOf('pull-from-mirror', ['all', 'digest-only', 'tag-only']) ?? (digestOnly ? 'digest-only' : 'all');
    return { location: place, insecure: mirror.flag('insecure'), pull };
  });
  return { prefix, location, insecure: table.flag('insecure'), blocked: table.flag('blocked'), mirrors, file };
}

function checkLocation(table: Table, key: string, location: string): void {
  if (location.includes('://')) throw table.wrong(key, `is ${location}: without http:// or https://`);
  if (!/^[A-Za-z0-9._:[\]/-]*$/.test(location)) throw table.wrong(key, 'is not HOST[:PORT][/PATH]');
}

/** A table of the file with its keys checked as they are read. */
class Table {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #file: string;
  readonly #name: string;
  constructor(values: Readonly<Record<string, unknown>>, file: string, name: string) {
    this.#values = values;
    this.#file = file;
    this.#name = name;
  }

  has(key: string): boolean {
    return this.#values[key] !== undefined;
  }

  names(): string[] {
    return Object.keys(this.#values);
  }

  text(key: string): string | undefined {
    const value = this.#values[key];
    if (value === undefined || typeof value === 'string') return value;
    throw this.wrong(key, 'is not a text');
  }

  flag(key: string): boolean {
    const value = this.#values[key] ?? false;
    if (typeof value === 'boolean') return value;
    throw this.wrong(key, 'is neither true nor false');
  }

  texts(key: string): string[] | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every(one => typeof one === 'string')) return value;
    throw this.wrong(key, 'is not a list of texts');
  }

  oneOf<T extends string>(key: string, values: readonly T[]): T | undefined {
    const value = this.text(key);
    if (value === undefined || value === '') return undefined;
    const found = values.find(one => one === value);
    if (found === undefined) throw this.wrong(key, `is ${value}: it is one of ${values.join(', ')}`);
    return found;
  }

  table(key: string): Table | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    if (!isTable(value)) throw this.wrong(key, 'is not a table');
    return new Table(value, this.#file, key);
  }

  tables(key: string): Table[] {
    const value = this.#values[key] ?? [];
    if (!Array.isArray(value) || !value.every(isTable)) throw this.wrong(key, `is not a list of [[${key}]] tables`);
    return value.map(one => new Table(one, this.#file, key));
  }

  wrong(key: string, what: string): RegistryError {
    const place = this.#name === '' ? '' : `[${this.#name}] `;
    return new RegistryError('configuration', `${this.#file}: ${place}${key} ${what}`);
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
