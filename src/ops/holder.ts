import type { Host } from '../host/host.ts';
import type { Plan } from '../plan/types.ts';
import { isNew, nameOps, namespaceOps, type Compiled, type Nest } from './compile.ts';
import { op } from './encode.ts';
import { identityOps, seccompFlags, seccompProgram } from './process.ts';

/**
 * The holder of a pod: it has the pod's namespaces, an empty root, no privileges, and no image.
 * `plan` is that of a container; only what concerns the namespaces is taken from it.
 */
export function compileHolder(host: Host, plan: Plan, bundle: string, nest?: Nest): Compiled {
  const compiled: Compiled = { ops: [], descriptors: [], opened: [] };
  const { ops } = compiled;
  const process = plan.spec.process;
  if (process === undefined) throw new RangeError('config.json has no process');
  namespaceOps(host, plan.spec, compiled, nest);
  if (isNew(plan.spec, 'uts')) nameOps(plan.spec, ops);
  ops.push(op('propagation', '/', 'rslave'), op('root-bind', `${bundle}/rootfs`, 'r'));
  ops.push(op('session'));
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
