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
  const shown = withoutOurs(changes, madeByStart(host, bundle));
  if (format === 'json') host.write(1, `${JSON.stringify(toJson(shown), undefined, 5)}\n`);
  else host.write(1, shown.map(({ kind, path }) => `${kind} ${printable(path)}\n`).join(''));
  return 0;
}

export interface Change {
  readonly kind: string;
  readonly path: string;
}

function changesOf(host: Host, words: readonly string[]): Change[] {
  const argv = [...insideMap(host), programPath(), 'layer', 'tree-diff', ...words];
  const environment = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
  const done = host.run({ argv, environment, stdout: 'capture', stderr: 'capture' });
  if (done.status !== 0) throw new ImageError(done.stderr.split('\n')[0]?.replace(/^berth: /, '') ?? 'diff');
  return done.stdout
    .split('\0')
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

/** A directory that changed only because places were made in it goes, too. Of `changes` each comes before what is below it. */
export function withoutOurs(changes: readonly Change[], ours: ReadonlySet<string>): Change[] {
  const shown: Change[] = [];
  /** Of each directory with changes in it: whether one of them is shown. */
  const holds = new Map<string, boolean>();
  for (const change of [...changes].reverse()) {
    const { kind, path } = change;
    const hidden = ours.has(path) || (kind !== 'D' && holds.get(path) === false);
    const parent = path.slice(0, path.lastIndexOf('/'));
    holds.set(parent, holds.get(parent) === true || !hidden);
    if (!hidden) shown.push(change);
  }
  return shown.reverse();
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
