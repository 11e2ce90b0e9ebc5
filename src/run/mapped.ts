import { CLONE, type Host } from '../host/host.ts';
import { encodeOps } from '../ops/encode.ts';
import { writeIdMaps, type IdMap } from './ids.ts';

/**
 * Removes a tree as root of a user namespace with the recorded map: an account cannot delete files of its mapped ids in
 * directories of its mapped ids otherwise. True when the tree is gone.
 */
export function removeMapped(host: Host, path: string, uidMap: IdMap, gidMap: IdMap): boolean {
  const stage = host.launch({
    namespaces: CLONE.NEWUSER,
    sibling: false,
    ops: encodeOps([
      { name: 'become-root', fields: [] },
      { name: 'remove-tree', fields: [path] },
    ]),
    stdio: ['null', 'inherit', 'inherit'],
    descriptors: [],
  });
  try {
    writeIdMaps(host, stage.pid, uidMap, gidMap);
    host.proceed(stage, 'ids');
    return host.wait(stage).status === 0 && host.lstat(path) === undefined;
  } finally {
    for (const fd of [stage.control, stage.status, stage.pidfd]) host.close(fd);
  }
}
