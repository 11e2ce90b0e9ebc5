import type { Bytes } from '../host/host.ts';

/** Option words of one mount of config.json, sorted by who takes them. */
export interface MountOptions {
  /** Words of the operations `mount` and `bind`: attributes and propagation (native/tiny/attributes.c). */
  readonly words: readonly string[];
  /** `key=value` and flags for the file system itself. */
  readonly data: readonly Bytes[];
  readonly bind: boolean;
  readonly recursive: boolean;
  /** `tmpcopyup`: the tmpfs starts with what it covers. */
  readonly copyUp: boolean;
  readonly readOnly: boolean;
  /** `idmap` or `ridmap` was said. */
  readonly idmap: boolean;
}

/**
 * Sorts the words of `mounts[].options`
 * (https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config.md#linux-mount-options); for a word and its opposite the
 * last one wins. What is not known there goes to the file system.
 */
export function parseMountOptions(options: readonly Bytes[]): MountOptions {
  const words = new Map<string, string>();
  const data: Bytes[] = [];
  const kept = { bind: false, recursive: false, copyUp: false, readOnly: false, idmap: false };
  for (const option of options) {
    const group = GROUPS.get(option);
    if (option === 'bind') kept.bind = true;
    else if (option === 'rbind') kept.bind = kept.recursive = true;
    else if (option === 'tmpcopyup') kept.copyUp = true;
    else if (option === 'idmap' || option === 'ridmap') kept.idmap = true;
    else if (group !== undefined) keepLast(words, group, option);
    else if (!IGNORED.has(option)) data.push(option);
  }
  kept.readOnly = words.get('ro') === 'ro' || words.get('rro') === 'rro';
  return { words: [...words.values()], data, ...kept };
}

/** Joins options of a file system; a comma inside one is escaped as native/tiny/filesystem.c reads it. */
export function joinData(data: readonly Bytes[]): Bytes {
  return data.map(option => option.replaceAll('\\', '\\\\').replaceAll(',', '\\,')).join(',');
}

/** A word and its opposite share a group. */
const PAIRS: readonly (readonly [string, ...string[]])[] = [
  ['ro', 'rw'],
  ['nosuid', 'suid'],
  ['nodev', 'dev'],
  ['noexec', 'exec'],
  ['nodiratime', 'diratime'],
  ['nosymfollow', 'symfollow'],
  ['relatime', 'norelatime', 'noatime', 'atime', 'strictatime', 'nostrictatime'],
];

const PROPAGATION = [
  'private',
  'rprivate',
  'slave',
  'rslave',
  'shared',
  'rshared',
  'unbindable',
  'runbindable',
] as const;

/** Words without a meaning for a mount, or with the meaning of the default. */
const IGNORED: ReadonlySet<string> = new Set([
  'defaults',
  'remount',
  'loud',
  'silent',
  'iversion',
  'noiversion',
  'nomand',
  'mand',
  'async',
  'nolazytime',
]);

const GROUPS: ReadonlyMap<string, string> = makeGroups();

function makeGroups(): Map<string, string> {
  const groups = new Map<string, string>();
  for (const pair of PAIRS) {
    for (const word of pair) {
      groups.set(word, pair[0]);
      groups.set(`r${word}`, `r${pair[0]}`);
    }
  }
  for (const word of PROPAGATION) groups.set(word, 'propagation');
  return groups;
}

/** The later word stands later: `map.set` alone would keep the earlier place. */
function keepLast(words: Map<string, string>, group: string, word: string): void {
  words.delete(group);
  words.set(group, word);
}
