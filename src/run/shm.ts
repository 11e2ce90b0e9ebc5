import type { Host } from '../host/host.ts';
import { encodeOps } from '../ops/encode.ts';
import { NAMESPACE_BITS } from '../ops/tables.ts';
import type { Op } from '../ops/ops.ts';
import type { RunRequest } from '../plan/request.ts';
import { findContainer } from './containers.ts';
import { awaitSync, type Heard } from './dialogue.ts';
import { Failure } from './failure.ts';

const O_RDONLY = 0;
const SIGKILL = 9;

/**
 * The /dev/shm of the container whose IPC namespace a request joins, as a detached mount. A mount can be cloned only in the mount namespace
 * that it is in: a stage goes there, clones it, and sends it. undefined: nothing is joined.
 */
export function joinedShm(host: Host, request: RunRequest): number | undefined {
  if (!request.ipc.startsWith('container:')) return undefined;
  const state = findContainer(host, request.ipc.slice('container:'.length))?.state;
  if (state === undefined) return undefined;
  const ops: Op[] = [];
  const descriptors: number[] = [];
  const join = (type: 'user' | 'mount', file: string): void => {
    const index = descriptors.push(host.open(`/proc/${state.pid}/ns/${file}`, O_RDONLY)) - 1;
    ops.push({ name: 'setns', fields: [String(index), NAMESPACE_BITS[type].toString(16)] });
  };
  if (state.uidMap.length > 0) join('user', 'user');
  join('mount', 'mnt');
  ops.push({ name: 'send-fd', fields: ['shm', 'shm'] }, { name: 'sync', fields: ['ready'] });
  const stage = host.launch({
    namespaces: 0,
    sibling: false,
    ops: encodeOps(ops),
    stdio: ['null', 'null', 'inherit'],
    descriptors,
  });
  for (const fd of descriptors) host.close(fd);
  try {
    const heard: Heard = { fds: new Map(), pid: 0 };
    awaitSync(host, stage, 'ready', heard);
    const fd = heard.fds.get('shm');
    if (fd === undefined) throw new Failure(125, `${state.name}: its /dev/shm cannot be shared`);
    return fd;
  } finally {
    host.signal(stage.pidfd, SIGKILL);
    host.wait(stage);
    for (const fd of [stage.control, stage.status, stage.pidfd]) host.close(fd);
  }
}
