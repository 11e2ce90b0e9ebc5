import type { Bytes, Host } from '../host/host.ts';
import { ImageError } from '../image/error.ts';
import { layerDirectory } from '../image/images.ts';
import type { Digest } from '../image/types.ts';

/** What du(1) says, with the ids that the files have: an account's own user namespace may read what its payloads own. */
export function diskBytes(host: Host, paths: readonly Bytes[]): number {
  return diskUsage(host, paths).total;
}

/** Blocks that each of these takes, and all together; a file of several names counts where it is met first. */
export function diskUsage(host: Host, paths: readonly Bytes[]): { total: number; each: ReadonlyMap<Bytes, number> } {
  const there = paths.filter(path => host.lstat(path) !== undefined);
  if (there.length === 0) return { total: 0, each: new Map() };
  const words = ['--summarize', '--block-size=1', '--total', '--null', '--one-file-system'];
  const done = host.run({
    argv: [...insideMap(host), 'du', ...words, '--', ...there],
    environment: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    stdout: 'capture',
    stderr: 'capture',
  });
  const lines = done.stdout.split('\0').map(line => /^(\d+)\t([^]+)$/.exec(line));
  const each = new Map(lines.flatMap(line => (line === null ? [] : [[line[2] ?? '', Number(line[1])] as const])));
  const total = each.get('total');
  if (total === undefined) throw new ImageError(`du: ${done.stderr.split('\n')[0] ?? 'no answer'}`);
  return { total, each };
}

/** Of all that are there, also those that no image has. A layer of an additional store takes nothing of this one. */
export function layerSizes(host: Host, store: string): { total: number; of: (layer: Digest) => number } {
  const directory = `${store}/layers`;
  const names = host.stat(directory) === undefined ? [] : host.list(directory);
  const { total, each } = diskUsage(
    host,
    names.map(({ name }) => `${directory}/${name}`),
  );
  return { total, of: layer => each.get(layerDirectory(store, layer)) ?? 0 };
}

/** Words in front of a program that is to have the ids of the account's store: root has them. */
export function insideMap(host: Host): string[] {
  return host.euid === 0 ? [] : ['unshare', '--user', '--map-auto', '--map-root-user'];
}
