import { bad, type Draft } from './draft.ts';
import { cleanPath, isName } from './parse-values.ts';
import type { MountOptions, MountRequest } from './request.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type DraftOptions = Mutable<MountOptions> & { flags: string[] };

const PROPAGATION = new Set([
  'private',
  'rprivate',
  'shared',
  'rshared',
  'slave',
  'rslave',
  'unbindable',
  'runbindable',
]);
const FLAGS = new Set([
  'nosuid',
  'suid',
  'nodev',
  'dev',
  'noexec',
  'exec',
  'noatime',
  'relatime',
  'strictatime',
  'nosymfollow',
]);

export function newOptions(): DraftOptions {
  return { readOnly: false, chown: false, copy: true, overlay: false, recursive: true, flags: [] };
}

/**
 * `--volume [SOURCE:]TARGET[:OPTIONS]`: a source with `/` or `.` at its beginning is a path, another a volume's name,
 * none an anonymous volume (podman-run(1)).
 */
export function parseVolume(draft: Draft, value: string): void {
  const parts = value.split(':');
  const [first = '', second, words] = parts;
  if (parts.length > 3) return bad(draft, 'volume', value, 'too many colons', 'write [SOURCE:]TARGET[:OPTIONS]');
  const source = second === undefined ? '' : first;
  const target = readTarget(draft, 'volume', value, second ?? first);
  if (target === undefined) return;
  if (second !== undefined && source === '') return bad(draft, 'volume', value, 'the source is empty');
  const options = newOptions();
  if (words !== undefined && !readOptions(draft, value, words.split(','), options)) return;
  const mount = mountOf(draft, 'volume', value, source, target, options);
  if (mount !== undefined) addMount(draft, 'volume', value, mount);
}

/** `--volumes-from CONTAINER[:OPTIONS]`; which volumes these are tells the start. */
export function parseVolumesFrom(draft: Draft, value: string): void {
  const [container = '', words = '', more] = value.split(':');
  if (!isName(container) || more !== undefined) {
    return bad(draft, 'volumes-from', value, 'not the name or id of a container', 'write CONTAINER or CONTAINER:ro');
  }
  const options = words === '' ? [] : words.split(',');
  const other = options.find(word => !['ro', 'rw', 'z'].includes(word));
  if (other !== undefined) return bad(draft, 'volumes-from', value, `${other} is not one of ro, rw and z`);
  if (options.includes('ro') && options.includes('rw'))
    return bad(draft, 'volumes-from', value, 'ro and rw exclude each other');
  draft.request.volumesFrom.push({ container, readOnly: options.includes('ro'), shared: options.includes('z') });
}

/** Bind or volume, by the look of the source. */
export function mountOf(
  draft: Draft,
  option: string,
  value: string,
  source: string,
  target: string,
  options: MountOptions,
): MountRequest | undefined {
  if (source.startsWith('/') || source.startsWith('.')) {
    return { kind: 'bind', source: absolute(draft, source), target, options };
  }
  if (source !== '' && !isName(source)) {
    bad(
      draft,
      option,
      value,
      `${source} is neither a path nor a name of a volume`,
      'names match [a-zA-Z0-9][a-zA-Z0-9_.-]*',
    );
    return undefined;
  }
  if (options.overlay && source === '') {
    bad(draft, option, value, 'an anonymous volume cannot be an overlay');
    return undefined;
  }
  return { kind: 'volume', source, target, options };
}

export function absolute(draft: Draft, path: string): string {
  const full = path.startsWith('/') ? path : `${draft.reader.cwd()}/${path}`;
  return cleanPath(full) ?? full;
}

/** Two mounts on one target are a mistake that a payload would see as lost data. */
export function addMount(draft: Draft, option: string, value: string, mount: MountRequest): void {
  if (draft.request.mounts.some(other => other.target === mount.target)) {
    return bad(draft, option, value, `something else is already mounted on ${mount.target}`);
  }
  draft.request.mounts.push(mount);
}

export function readTarget(draft: Draft, option: string, value: string, target: string): string | undefined {
  const clean = cleanPath(target);
  if (clean === undefined) bad(draft, option, value, `the target ${target} is not an absolute path`);
  else if (clean === '/') bad(draft, option, value, 'nothing can be mounted on /', 'use --rootfs for another root');
  else return clean;
  return undefined;
}

function readOptions(draft: Draft, value: string, words: readonly string[], options: DraftOptions): boolean {
  const seen = new Map<string, string>();
  for (const word of words) {
    const group = applyWord(options, word);
    if (group === undefined) {
      bad(draft, 'volume', value, `${word === '' ? 'an empty word' : word} is not an option of a volume`);
      return false;
    }
    const other = seen.get(group);
    if (other !== undefined && other !== word) {
      bad(draft, 'volume', value, `${other} and ${word} exclude each other`);
      return false;
    }
    seen.set(group, word);
  }
  return true;
}

/** Applies one option word; the name of the group in which words exclude each other, or undefined for an unknown word. */
export function applyWord(options: DraftOptions, word: string): string | undefined {
  switch (word) {
    case 'ro':
    case 'rw':
      options.readOnly = word === 'ro';
      return 'ro';
    case 'z':
    case 'Z':
      options.relabel = word === 'z' ? 'shared' : 'private';
      return 'relabel';
    case 'U':
      options.chown = true;
      return word;
    case 'O':
      options.overlay = true;
      return word;
    case 'copy':
    case 'nocopy':
      options.copy = word === 'copy';
      return 'copy';
    case 'bind':
    case 'rbind':
      options.recursive = word === 'rbind';
      return 'bind';
    default:
      return applyOther(options, word);
  }
}

function applyOther(options: DraftOptions, word: string): string | undefined {
  if (FLAGS.has(word)) {
    options.flags.push(word);
    return word.endsWith('atime') ? 'atime' : word.startsWith('no') ? word.slice(2) : word;
  }
  if (PROPAGATION.has(word)) {
    options.propagation = word as Exclude<MountOptions['propagation'], undefined>;
    return 'propagation';
  }
  if (word === 'idmap' || word.startsWith('idmap=')) {
    options.idmap = word.slice(6);
    return 'idmap';
  }
  return undefined;
}
