import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';

type Program = (host: Host) => number | Promise<number>;

/** `berth image WORD`: Podman's second names of the verbs of images, and the verb that each is; empty: it is one of its own. */
const PROGRAMS: Readonly<Record<string, readonly [verb: string, load: () => Promise<{ main: Program }>]>> = {
  exists: ['', () => import('./image-exists.ts')],
  history: ['history', () => import('./history.ts')],
  import: ['import', () => import('./import.ts')],
  inspect: ['', () => import('./image-inspect.ts')],
  list: ['images', () => import('./images.ts')],
  load: ['load', () => import('./load.ts')],
  ls: ['images', () => import('./images.ts')],
  prune: ['', () => import('./image-prune.ts')],
  pull: ['pull', () => import('./pull-fetch.ts')],
  push: ['push', () => import('./push.ts')],
  rm: ['rmi', () => import('./rmi.ts')],
  save: ['save', () => import('./save.ts')],
  tag: ['tag', () => import('./tag.ts')],
  untag: ['untag', () => import('./untag.ts')],
};

export async function main(host: Host): Promise<number> {
  const at = host.argv.indexOf('image');
  const word = host.argv[at + 1] ?? '';
  const found = PROGRAMS[word];
  if (found === undefined) {
    const words = Object.keys(PROGRAMS).join(', ');
    throw new Failure(125, `image ${word}: no such verb; there are ${words}`);
  }
  const [verb, load] = found;
  const { main: program } = await load();
  if (verb === '') return program(host);
  return program({ ...host, argv: [...host.argv.slice(0, at), verb, ...host.argv.slice(at + 2)] });
}
