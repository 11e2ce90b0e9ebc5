import { bad, type Draft } from './draft.ts';
import { absolute, addMount, applyWord, mountOf, newOptions, readTarget, type DraftOptions } from './parse-mounts.ts';
import { parseTmpfsOptions, tmpfsWord } from './parse-tmpfs.ts';
import { cut, readBoolean, splitCsv } from './parse-values.ts';
import type { MountRequest } from './request.ts';

const TYPES = ['bind', 'volume', 'tmpfs', 'ramfs', 'devpts', 'image', 'glob', 'artifact'];

/** Words of a `--mount` value before its type is looked at. */
interface Parts {
  type: string;
  source?: string;
  target?: string;
  subpath?: string;
  readonly options: DraftOptions;
  /** Words for a tmpfs. */
  readonly words: string[];
}

/** `--mount type=TYPE,NAME[=VALUE],…`: one line of comma-separated values, fields may be quoted (podman-run(1)). */
export function parseMount(draft: Draft, value: string): void {
  const fields = splitCsv(value);
  if (fields === undefined) return bad(draft, 'mount', value, 'a quote is open or stands inside a field');
  const parts: Parts = { type: 'volume', options: newOptions(), words: [] };
  for (const field of fields) {
    const [name, given] = cut(field, '=');
    if (!readField(parts, name, given)) {
      return bad(draft, 'mount', value, `${field === '' ? 'an empty field' : field} is not understood`);
    }
  }
  if (!TYPES.includes(parts.type)) {
    return bad(draft, 'mount', value, `there is no type ${parts.type}`, 'use bind, volume or tmpfs');
  }
  finish(draft, value, parts);
}

function finish(draft: Draft, value: string, parts: Parts): void {
  const { source = '', options } = parts;
  const bindLike = parts.type === 'bind' || parts.type === 'glob';
  if (bindLike && source === '') return bad(draft, 'mount', value, `type=${parts.type} needs source=`);
  if (parts.target === undefined) return bad(draft, 'mount', value, 'target= is missing');
  const target = readTarget(draft, 'mount', value, parts.target);
  if (target === undefined) return;
  if (parts.words.length > 0 && parts.type !== 'tmpfs' && parts.type !== 'ramfs' && parts.type !== 'devpts') {
    return bad(draft, 'mount', value, `${parts.words[0] ?? ''} is not an option of type=${parts.type}`);
  }
  if (parts.subpath !== undefined && parts.type !== 'volume' && parts.type !== 'image')
    return bad(draft, 'mount', value, `subpath is not an option of type=${parts.type}`, 'it is for volume and image');
  const mount = build(draft, value, parts, source, target, options);
  if (mount !== undefined) addMount(draft, 'mount', value, mount);
}

function build(
  draft: Draft,
  value: string,
  parts: Parts,
  source: string,
  target: string,
  options: DraftOptions,
): MountRequest | undefined {
  switch (parts.type) {
    case 'bind':
      return { kind: 'bind', source: absolute(draft, source), target, options };
    case 'volume': {
      if (source.startsWith('/') || source.startsWith('.')) {
        bad(draft, 'mount', value, 'a volume has a name, not a path', 'use type=bind for a path');
        return undefined;
      }
      const mount = mountOf(draft, 'mount', value, source, target, options);
      if (mount?.kind !== 'volume' || parts.subpath === undefined) return mount;
      return { ...mount, subpath: parts.subpath };
    }
    case 'tmpfs':
      return parseTmpfsOptions(draft, 'mount', value, target, [...flagWords(options), ...parts.words]);
    default:
      return {
        kind: parts.type as 'ramfs',
        source,
        target,
        options: { ...options, flags: [...options.flags, ...parts.words] },
        ...(parts.subpath === undefined ? {} : { subpath: parts.subpath }),
      };
  }
}

function flagWords(options: DraftOptions): string[] {
  const words = [...options.flags];
  if (options.readOnly) words.push('ro');
  return words;
}

/** Reads one field into the parts; false when it is unknown or its value is wrong. */
function readField(parts: Parts, name: string, given: string | undefined): boolean {
  const { options } = parts;
  switch (name) {
    case 'type':
      parts.type = given ?? '';
      return true;
    case 'src':
    case 'source':
      parts.source = given ?? '';
      return true;
    case 'dst':
    case 'dest':
    case 'destination':
    case 'target':
      parts.target = given ?? '';
      return true;
    case 'subpath':
    case 'volume-subpath':
      parts.subpath = given ?? '';
      return given !== undefined && given !== '' && !given.split('/').includes('..');
    case 'bind-propagation':
      return given !== undefined && applyWord(options, given) === 'propagation';
    case 'relabel':
      if (given !== 'shared' && given !== 'private') return false;
      options.relabel = given;
      return true;
    case 'consistency':
      return true;
    case 'idmap':
      if (given !== 'false') options.idmap = given === undefined || given === 'true' ? '' : given;
      return true;
    default:
      return readSwitch(parts, name, given) || readTmpfsField(parts, name, given);
  }
}

/** Fields that are on or off: `ro`, `ro=true`, `U=false`. */
function readSwitch(parts: Parts, name: string, given: string | undefined): boolean {
  const on = readBoolean(given ?? '');
  if (on === undefined) return false;
  const { options } = parts;
  switch (name) {
    case 'ro':
    case 'readonly':
      options.readOnly = on;
      return true;
    case 'rw':
    case 'readwrite':
      options.readOnly = !on;
      options.writes = on;
      return true;
    case 'U':
    case 'chown':
      options.chown = on;
      return true;
    case 'bind-nonrecursive':
      options.recursive = !on;
      return true;
    case 'nocopy':
    case 'volume-nocopy':
      options.copy = !on;
      return true;
    default:
      return given === undefined && name !== '' && applyWord(options, name) !== undefined;
  }
}

function readTmpfsField(parts: Parts, name: string, given: string | undefined): boolean {
  const plain = name.startsWith('tmpfs-') ? name.slice(6) : name;
  const word = given === undefined ? plain : `${plain}=${given}`;
  const known = parts.type === 'devpts' ? ['uid', 'gid', 'mode', 'max'].includes(plain) : tmpfsWord(word) !== undefined;
  if (known) parts.words.push(word);
  return known;
}
