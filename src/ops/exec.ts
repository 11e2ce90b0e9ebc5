import type { Host } from '../host/host.ts';
import type { Spec, SpecProcess } from '../plan/spec.ts';
import { NAMESPACE_BITS } from './tables.ts';
import type { Compiled } from './compile.ts';
import { op } from './encode.ts';
import { execOps, identityOps, labelOps, limitOps, seccompFlags, seccompProgram } from './process.ts';

export interface ExecTarget {
  /** The container's config.json as it was started. */
  readonly spec: Spec;
  /** pidfd of the payload. */
  readonly pidfd: number;
  /** spec.linux.seccomp is the profile that was compiled at build time. */
  readonly defaultSeccomp: boolean;
  /** The launcher has the process moved to the container's control group at `sync created`. */
  readonly waits?: boolean;
}

/** What may differ from the container's own process. Confinement is not among it (T11). */
export interface ExecRequest {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: SpecProcess['user'];
  readonly terminal: boolean;
}

/**
 * Operations that join a running container. `sync created` stands first where somebody else moves the process. After `fork` the message `pid N` names the process; `sync ready` is the last one.
 * The new process has the container's own sets of capabilities (for another user than root: none that are not ambient), limits,
 * label, no-new-privileges and filter.
 */
export function compileExec(host: Host, target: ExecTarget, request: ExecRequest): Compiled {
  const { spec } = target;
  const own = spec.process;
  if (own === undefined) throw new RangeError('config.json has no process');
  const process: SpecProcess = {
    ...own,
    args: [...request.args],
    env: [...request.env],
    cwd: request.cwd,
    terminal: request.terminal,
    user: request.user,
    capabilities: capabilitiesOf(own, request.user.uid),
  };
  const types = new Set((spec.linux.namespaces ?? []).map(namespace => namespace.type));
  let bits = 0;
  for (const type of types) bits |= NAMESPACE_BITS[type];
  const ops = target.waits === true ? [op('sync', 'created')] : [];
  // Before the container is joined: its /proc would name files of root's for us.
  if (own.oomScoreAdj !== undefined) ops.push(op('oom-score-adj', own.oomScoreAdj));
  ops.push(op('setns', 0, (bits >>> 0).toString(16)));
  if (types.has('user')) ops.push(op('become-root'));
  if (types.has('pid')) ops.push(op('fork'));
  ops.push(op('session'));
  if (request.terminal) ops.push(op('console', request.user.uid, -1));
  ops.push(...labelOps(process), op('cwd', request.cwd, '755', 0, 0), ...limitOps(process, true), op('sync', 'ready'));
  ops.push(
    ...identityOps({
      process,
      annotations: spec.annotations,
      seccomp: seccompProgram(host, spec, target.defaultSeccomp),
      seccompFlags: seccompFlags(spec),
    }),
    ...execOps(process, [], false),
  );
  return { ops, descriptors: [target.pidfd], opened: [] };
}

/** Root gets the container's bounding set, as its own root would by execve(2); another user what the container's ambient set gives. */
export function capabilitiesOf(own: SpecProcess, uid: number): NonNullable<SpecProcess['capabilities']> {
  const sets = own.capabilities ?? {};
  const bounding = sets.bounding ?? [];
  const ambient = sets.ambient ?? [];
  const given = uid === 0 ? bounding : ambient;
  return { bounding, permitted: given, effective: given, inheritable: ambient, ambient };
}
