import type { Host } from '../host/host.ts';
import { ImageError } from '../image/error.ts';

/** What du(1) says, with the ids that the files have: an account's own user namespace may read what its payloads own. */
export function diskBytes(host: Host, paths: readonly string[]): number {
  const there = paths.filter(path => host.lstat(path) !== undefined);
  if (there.length === 0) return 0;
  const done = host.run({
    argv: [...insideMap(host), 'du', '--summarize', '--block-size=1', '--total', '--one-file-system', '--', ...there],
    environment: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    stdout: 'capture',
    stderr: 'capture',
  });
  const total = /^(\d+)\ttotal$/m.exec(done.stdout)?.[1];
  if (total === undefined) throw new ImageError(`du: ${done.stderr.split('\n')[0] ?? 'no answer'}`);
  return Number(total);
}

/** Words in front of a program that is to have the ids of the account's store: root has them. */
export function insideMap(host: Host): string[] {
  return host.euid === 0 ? [] : ['unshare', '--user', '--map-auto', '--map-root-user'];
}
