import { bad, type Draft } from './draft.ts';
import { addMount, readTarget } from './parse-mounts.ts';
import { cut, readDigits, readId, readOctal, readSize } from './parse-values.ts';
import type { MountRequest } from './request.ts';

/** `--tmpfs TARGET[:OPTIONS]` (podman-run(1), tmpfs(5)). */
export function parseTmpfs(draft: Draft, value: string): void {
  const [path, words] = cut(value, ':');
  const target = readTarget(draft, 'tmpfs', value, path);
  if (target === undefined) return;
  const list = words === undefined || words === '' ? [] : words.split(',');
  const mount = parseTmpfsOptions(draft, 'tmpfs', value, target, list);
  if (mount !== undefined) addMount(draft, 'tmpfs', value, mount);
}

/** Checks the words of a tmpfs; undefined after noting a bad one. */
export function parseTmpfsOptions(
  draft: Draft,
  option: string,
  value: string,
  target: string,
  words: readonly string[],
): MountRequest | undefined {
  const options: string[] = [];
  let copyUp = true;
  for (const word of words) {
    const known = tmpfsWord(word);
    if (known === undefined) {
      bad(draft, option, value, `${word === '' ? 'an empty word' : word} is not an option of a tmpfs`);
      return undefined;
    }
    if (word === 'tmpcopyup' || word === 'notmpcopyup') copyUp = word === 'tmpcopyup';
    else if (known !== '') options.push(known);
  }
  return { kind: 'tmpfs', target, options, copyUp };
}

const PLAIN = new Set(
  'rw ro nosuid suid nodev dev noexec exec noatime relatime strictatime nosymfollow noswap tmpcopyup notmpcopyup rprivate private'.split(
    ' ',
  ),
);

/** The word as the kernel takes it (sizes in bytes); undefined when it is not one of a tmpfs. */
export function tmpfsWord(word: string): string | undefined {
  if (PLAIN.has(word)) return word === 'rprivate' || word === 'private' ? '' : word;
  const [name, value] = cut(word, '=');
  if (value === undefined) return undefined;
  switch (name) {
    case 'size':
      return value.endsWith('%') ? percent(value) : kept(name, readSize(value));
    case 'mode':
      return readOctal(value, 0o7777) === undefined ? undefined : word;
    case 'uid':
    case 'gid':
      return kept(name, readId(value));
    case 'nr_inodes':
    case 'nr_blocks':
      return kept(name, readSize(value));
    default:
      return undefined;
  }
}

function kept(name: string, value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${name}=${value}`;
}

function percent(value: string): string | undefined {
  return readDigits(value.slice(0, -1), 100) === undefined ? undefined : `size=${value}`;
}

/** Podman's: writable, private, no set-user-id programs, no devices. */
export function tmpfsOptions(words: readonly string[], copyUp: boolean): string[] {
  const options = [...words];
  if (!words.includes('ro') && !words.includes('rw')) options.push('rw');
  options.push('rprivate');
  if (!words.includes('suid') && !words.includes('nosuid')) options.push('nosuid');
  if (!words.includes('dev') && !words.includes('nodev')) options.push('nodev');
  if (copyUp) options.push('tmpcopyup');
  return options;
}
