import { DIFF } from '../command/options-seeing.ts';
import { lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { ImageError } from '../image/error.ts';
import { programPath } from '../image/archive/program.ts';
import { layerDirectory, readImage } from '../image/images.ts';
import { storeDirectory } from '../image/store.ts';
import type { Spec } from '../plan/spec.ts';
import { requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { commandLine, printable } from './command-line.ts';
import { insideMap } from './disk-bytes.ts';

/** `berth diff`: what a container has changed of its image: A added, C changed, D deleted. */
export function main(host: Host): number {
  const command = commandLine(host, DIFF);
  if (typeof command === 'number') return command;
  const format = lastValue(command, 'format') ?? '';
  if (format !== '' && format !== 'json') throw new Failure(125, `--format ${format}: write json`);
  const [word = ''] = command.operands;
  const { state, bundle } = requireContainer(host, word);
  const store = storeDirectory(host);
  const image = state.imageId === '' ? undefined : readImage(host, store, state.imageId);
  if (image === undefined || state.layer === '')
    throw new Failure(125, `${word}: has no layer of its own above an image of the store`);
  const lower = image.layers.map(layer => `lower=${layerDirectory(store, layer)}/fs`);
  const changes = changesOf(host, [`upper=${state.layer}/upper`, ...lower]);
  const ours = madeByStart(host, bundle);
  const shown = changes.filter(change => !ours.has(change.path) && !ours.has(parentOfOnly(change, changes, ours)));
  if (format === 'json') host.write(1, `${JSON.stringify(toJson(shown), undefined, 5)}\n`);
  else host.write(1, shown.map(({ kind, path }) => `${kind} ${printable(path)}\n`).join(''));
  return 0;
}

interface Change {
  readonly kind: string;
  readonly path: string;
}

function changesOf(host: Host, words: readonly string[]): Change[] {
  const argv = [...insideMap(host), programPath(), 'layer', 'tree-diff', ...words];
  const environment = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
  const done = host.run({ argv, environment, stdout: 'capture', stderr: 'capture' });
  if (done.status !== 0) throw new ImageError(done.stderr.split('\n')[0]?.replace(/^berth: /, '') ?? 'diff');
  return done.stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => ({ kind: line[0] ?? '', path: line.slice(2) }));
}

/** Where a start mounts something it makes an empty place for it: that is not the container's doing. */
function madeByStart(host: Host, bundle: string): Set<string> {
  const spec = JSON.parse(host.readFile(`${bundle}/config.json`)) as Spec;
  const places = [
    '/dev',
    '/proc',
    '/sys',
    '/run',
    '/run/.containerenv',
    ...(spec.mounts ?? []).map(one => one.destination),
  ];
  return new Set(places);
}

/** A directory that changed only because a place was made in it: its path, when all that changed in it is ours; otherwise empty. */
function parentOfOnly({ kind, path }: Change, changes: readonly Change[], ours: ReadonlySet<string>): string {
  if (kind === 'D') return '';
  const below = changes.filter(one => one.path.startsWith(`${path}/`));
  if (below.length === 0 || !below.every(one => ours.has(one.path))) return '';
  return below[0]?.path ?? '';
}

function toJson(changes: readonly Change[]): Record<string, string[]> {
  const names = { C: 'changed', A: 'added', D: 'deleted' } as const;
  const lists: Record<string, string[]> = {};
  for (const [letter, name] of Object.entries(names)) {
    const paths = changes.filter(({ kind }) => kind === letter).map(({ path }) => path);
    if (paths.length > 0) lists[name] = paths;
  }
  return lists;
}
