/**
 * How a key's assignments are read.
 * scalar: the last one; list: all, verbatim; words: all, cut at blanks; args: the same with C escapes; args-last: the last one only;
 * pairs: words cut at `=`, the last of a name counts, sorted; bool; number.
 */
export type KeyKind = 'scalar' | 'list' | 'words' | 'args' | 'args-last' | 'pairs' | 'bool' | 'number';

/** What a value must look like; see quadlet/checks.ts. Values that systemd expands later are not checked. */
export type Check =
  'size' | 'duration' | 'count' | 'port' | 'expose' | 'signal' | 'name' | 'path' | 'address' | 'capability';

/** A key of a unit file: the one source for translator, diagnostics, help, manual and completions. Rows stand in the order of the options they become. */
export interface KeyRow {
  readonly key: string;
  readonly kind: KeyKind;
  /** The command option it becomes; empty: none, or not one of the main command. */
  readonly option: string;
  readonly help: string;
  /**
   * First Podman version that has it: by Podman's release notes, the requests that brought the keys, and the lists that podlet keeps for each version
   * (github.com/containers/podlet, issues 28 to 30, 68, 84, 110, 175 to 179, 187). test/machine/700-generator.sh asks the Podman beside us.
   */
  readonly since: string;
  /** Code of its own in the file of the unit type; the generic loop leaves it alone. */
  readonly special?: boolean;
  /** Written as `--option=VALUE`. */
  readonly joined?: boolean;
  /** Goes in front of the value. */
  readonly prefix?: string;
  /** For bool: the value of the option when true; nothing is written when false. */
  readonly whenTrue?: string;
  /** An empty value has a meaning. */
  readonly empty?: boolean;
  /** Relative values are below the directory of the unit file. */
  readonly path?: boolean;
  readonly lower?: boolean;
  readonly check?: Check;
  /** Set by the maker when the value becomes the option's as it is. */
  readonly bare?: boolean;
  /** What to use instead. */
  readonly deprecated?: string;
}

/** A table with what is looked up in it. */
export interface KeyTable {
  readonly section: string;
  readonly rows: readonly KeyRow[];
  readonly index: ReadonlyMap<string, number>;
}

/** A table that is made when it is first asked for: a run of the generator meets few types, and starts fast. */
export function table(section: string, rows: () => readonly KeyRow[]): () => KeyTable {
  let made: KeyTable | undefined;
  return () => (made ??= tableOfRows(section, rows()));
}

function tableOfRows(section: string, rows: readonly KeyRow[]): KeyTable {
  const index = new Map<string, number>();
  for (let at = 0; at < rows.length; at++) index.set(rows[at]?.key ?? '', at);
  return { section, rows, index };
}

type More = Omit<Partial<KeyRow>, 'key' | 'kind' | 'option' | 'since' | 'help'>;
type Maker = (key: string, option: string, since: string, help: string, more?: More) => KeyRow;

function maker(kind: KeyKind): Maker {
  return (key, option, since, help, more) =>
    more === undefined ? { key, kind, option, since, help, bare: true } : { key, kind, option, since, help, ...more };
}

export const scalarKey = maker('scalar');
export const listKey = maker('list');
export const wordsKey = maker('words');
export const argsKey = maker('args');
export const lastArgsKey = maker('args-last');
export const pairsKey = maker('pairs');
export const boolKey = maker('bool');
export const numberKey = maker('number');

/** True when several assignments add up. */
export function repeats(row: KeyRow): boolean {
  return row.kind === 'list' || row.kind === 'words' || row.kind === 'args' || row.kind === 'pairs';
}

const CODE: More = { special: true };

/** Keys that all types have; they stand in front of the type's own. `since`: the first version that has the type, when that came later than the keys. */
export const commonKeys = (since = '4.8'): readonly KeyRow[] => [
  scalarKey('ServiceName', '', since === '5.7' ? since : '5.3', 'name of the service, without .service', CODE),
  listKey('ContainersConfModule', 'module', since, 'module of the configuration, for every command of the unit', CODE),
  argsKey('GlobalArgs', '', since, 'words in front of the verb, in every command of the unit', CODE),
];

/** The last words in front of the operands. */
export const argumentsKey = (since: string): KeyRow =>
  argsKey('PodmanArgs', '', since, 'further words of the main command', CODE);

/** User namespaces of containers and pods. */
export const mappingKeys = (since?: string): readonly KeyRow[] => [
  scalarKey('UserNS', 'userns', since ?? '4.5', 'user namespace: host, keep-id, nomap, auto', CODE),
  wordsKey('UIDMap', 'uidmap', since ?? '4.8', 'map user ids', CODE),
  wordsKey('GIDMap', 'gidmap', since ?? '4.8', 'map group ids', CODE),
  scalarKey('SubUIDMap', 'subuidname', since ?? '4.8', 'name in /etc/subuid', CODE),
  scalarKey('SubGIDMap', 'subgidname', since ?? '4.8', 'name in /etc/subgid', CODE),
];

const OLD: More = { special: true, deprecated: 'UserNS=, UIDMap= and GIDMap=' };

export const remapKeys = (since = '4.4'): readonly KeyRow[] => [
  scalarKey('RemapUsers', 'userns', since, 'manual, auto or keep-id', OLD),
  wordsKey('RemapUid', 'uidmap', since, 'map user ids', OLD),
  wordsKey('RemapGid', 'gidmap', since, 'map group ids', OLD),
  numberKey('RemapUidSize', '', since, 'size of an automatic map', OLD),
];
