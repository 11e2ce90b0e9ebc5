import type { Host } from '../host/host.ts';
import { SHM_SIZE } from '../plan/mounts.ts';
import type { Plan } from '../plan/types.ts';
import { isNew, nameOps, namespaceOps, type Compiled, type Nest } from './compile.ts';
import { op } from './encode.ts';
import { joinData } from './mount-options.ts';
import { idMapText } from './mounts.ts';
import { identityOps, seccompFlags, seccompProgram } from './process.ts';

export interface HolderWish {
  readonly nest?: Nest | undefined;
  /** Bytes of /dev/shm; 0: no limit. */
  readonly shmSize?: number | undefined;
}

/**
 * The holder of a pod: it has the pod's namespaces, an empty root, no privileges, and no image.
 * `plan` is that of a container; only what concerns the namespaces is taken from it.
 */
export function compileHolder(host: Host, plan: Plan, bundle: string, { nest, shmSize }: HolderWish): Compiled {
  const compiled: Compiled = { ops: [], descriptors: [], opened: [] };
  const { ops } = compiled;
  const process = plan.spec.process;
  if (process === undefined) throw new RangeError('config.json has no process');
  const hidden = op('propagation', '/', 'rslave');
  const root = `${bundle}/rootfs`;
  // What its root cannot reach is taken before (outside.ts).
  const maps = plan.outer === undefined ? '' : idMapText(plan.outer.uid, plan.outer.gid);
  const before = [hidden, op('root-bind', root, 'r,detached')];
  const inside = [op('root-attach')];
  namespaceOps(host, plan.spec, compiled, nest, plan.outside ? { before, inside, maps } : undefined);
  if (isNew(plan.spec, 'uts')) nameOps(plan.spec, ops);
  ops.push(...(plan.outside ? inside : [hidden, op('root-bind', root, 'r')]));
  // All members have it as /dev/shm.
  const size = shmSize === 0 ? '' : `,size=${shmSize ?? SHM_SIZE}`;
  const label = plan.spec.linux.mountLabel ?? '';
  const context = label === '' ? '' : `,${joinData([`context=${label}`])}`;
  ops.push(op('mount', 'tmpfs', 'shm', '/dev/shm', 'nosuid,nodev,noexec', `mode=1777${size}${context}`), op('session'));
  for (const [key, value] of Object.entries(plan.spec.linux.sysctl ?? {})) ops.push(op('sysctl', key, value));
  ops.push(op('keyring', '_ses'), op('root-remount', 'ro'), op('pivot'), op('sync', 'ready'));
  const nothing = { bounding: [], permitted: [], effective: [], inheritable: [], ambient: [] };
  ops.push(
    ...identityOps({
      process: { ...process, capabilities: nothing, noNewPrivileges: true },
      annotations: {},
      seccomp: seccompProgram(host, plan.spec, plan.defaultSeccomp),
      seccompFlags: seccompFlags(plan.spec),
    }),
    op('hold'),
  );
  return compiled;
}
