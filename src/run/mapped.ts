import { CLONE, type Host, type Stdio } from '../host/host.ts';
import { encodeOps } from '../ops/encode.ts';
import type { Op } from '../ops/ops.ts';
import { writeIdMaps, type IdMap } from './ids.ts';

/**
 * Removes a tree as root of a user namespace with the recorded map: an account cannot delete files of its mapped ids in
 * directories of its mapped ids otherwise. True when the tree is gone.
 */
export function removeMapped(host: Host, path: string, uidMap: IdMap, gidMap: IdMap): boolean {
  const ops: Op[] = [{ name: 'remove-tree', fields: [path] }];
  return playMapped(host, ops, uidMap, gidMap) === 0 && host.lstat(path) === undefined;
}

/** Plays operations as root of a user namespace with these maps; the exit status of the stage, or of what it executed. */
export function playMapped(
  host: Host,
  ops: readonly Op[],
  uidMap: IdMap,
  gidMap: IdMap,
  output: Stdio = 'inherit',
): number | undefined {
  const stage = host.launch({
    namespaces: CLONE.NEWUSER,
    sibling: false,
    ops: encodeOps([{ name: 'become-root', fields: [] }, ...ops]),
    stdio: ['null', output, 'inherit'],
    descriptors: [],
  });
  try {
    writeIdMaps(host, stage.pid, uidMap, gidMap);
    host.proceed(stage, 'ids');
    return host.wait(stage).status;
  } finally {
    for (const fd of [stage.control, stage.status, stage.pidfd]) host.close(fd);
  }
}
