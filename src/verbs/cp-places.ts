import { Failure } from '../run/failure.ts';

export type Kind = 'file' | 'directory' | 'other' | 'absent';

/** One end of a copy. */
export interface Place {
  /** As it was written, for messages. */
  readonly word: string;
  readonly container?: string;
  /** Without `.`, `..` and slashes at the end; absolute in a container. */
  readonly path: string;
  /** Written with a slash at the end: a directory is meant. */
  readonly slash: boolean;
  /** Written with `/.` at the end, or the root: what is in it is meant, not itself. */
  readonly content: boolean;
}

/** `CONTAINER:PATH`, or a path of the host: that begins with `/` or `.`, or has no colon before its first slash (podman-cp(1)). */
export function parsePlace(word: string): Place {
  const at = word.indexOf(':');
  const isHost = word === '-' || at < 1 || word.startsWith('.') || word.slice(0, at).includes('/');
  const written = isHost ? word : word.slice(at + 1);
  if (written === '') throw new Failure(125, `${word}: the path is missing`);
  const shape = { word, slash: written.endsWith('/'), content: /(^|\/)\.$/.test(written) || /^\/+$/.test(written) };
  if (isHost) return { ...shape, path: written.length > 1 ? written.replace(/\/+$/, '') || '/' : written };
  return { ...shape, container: word.slice(0, at), path: clean(written) };
}

/** A path in a container, from its root; `..` of the root is the root. */
export function clean(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

export function baseName({ path }: Place): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export interface Landing {
  readonly from: Place;
  readonly to: Place;
  /** Of what is copied. */
  readonly kind: 'file' | 'directory';
  readonly overwrite: boolean;
  readonly kindOf: (place: Place) => Promise<Kind>;
}

/** The directory that is written to, and the name of what is copied there; empty: its content. The rules are those of podman-cp(1). */
export async function landing(request: Landing): Promise<{ directory: string; name: string }> {
  const { from, to, kind, overwrite, kindOf } = request;
  const present = await kindOf(to);
  if (present === 'other') throw new Failure(125, `${to.word}: neither a file nor a directory`);
  if (present === 'directory') return { directory: to.path, name: from.content ? '' : baseName(from) };
  const parent = { ...to, path: to.path.includes('/') ? to.path.slice(0, to.path.lastIndexOf('/')) || '/' : '.' };
  const own = { directory: parent.path, name: baseName(to) };
  if (present === 'file') {
    if (to.slash) throw new Failure(125, `${to.word}: not a directory`);
    if (kind === 'directory' && !overwrite)
      throw new Failure(125, `${to.word}: a directory does not go to a file; give --overwrite to replace it`);
    return own;
  }
  if (kind === 'file' && to.slash) throw new Failure(125, `${to.word}: no such directory`);
  if ((await kindOf(parent)) !== 'directory')
    throw new Failure(125, `${to.word}: there is no directory ${parent.path}`);
  return own;
}
