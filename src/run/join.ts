import type { Host, Launched, LaunchRequest, Stdio } from '../host/host.ts';
import { encodeOps } from '../ops/encode.ts';
import { compileExec } from '../ops/exec.ts';
import type { Spec, SpecProcess } from '../plan/spec.ts';
import { unifiedPath } from './cgroup-path.ts';
import { awaitSync, type Heard } from './dialogue.ts';

/**
 * A further process in a running container: the stage joins the payload's namespaces through its pidfd, so that no other process can be
 * meant, and its control group. It gets no more than the payload has (T11): the same bounding set, seccomp program,
 * no-new-privileges; compileExec() of ops/exec.ts sees to that.
 */
export interface Joined {
  readonly stage: Launched;
  /** Empty: the process runs; otherwise `STEP ERRNO EXIT TEXT`, and its standard error has the line. */
  readonly outcome: string;
  /** Pty master when the process has a terminal. */
  readonly terminal?: number;
}

export interface JoinRequest {
  readonly spec: Spec;
  readonly process: SpecProcess;
  /** spec.linux.seccomp is the profile compiled at build time. */
  readonly defaultSeccomp: boolean;
  /** pidfd of the payload. */
  readonly payload: number;
  /** Directory of the payload's control group; empty: none. */
  readonly group: string;
  readonly stdio: readonly [Stdio, Stdio, Stdio];
  /** Where `canPlace` says no: has a process moved into the payload's group. */
  readonly attach?: (pid: number) => void;
}

/** Returns when the process runs, or has failed to be executed. */
export function joinContainer(host: Host, request: JoinRequest): Joined {
  const { spec, process, payload } = request;
  // systemd moves a process only for its owner: before it becomes another id, and before it forks.
  const moves = request.attach !== undefined;
  const { ops, descriptors } = compileExec(
    host,
    { spec, pidfd: payload, defaultSeccomp: request.defaultSeccomp, waits: moves },
    { args: process.args, env: process.env, cwd: process.cwd, user: process.user, terminal: process.terminal === true },
  );
  const launch: LaunchRequest = {
    namespaces: 0,
    sibling: false,
    ops: encodeOps(ops),
    stdio: request.stdio,
    descriptors,
    ...(moves || request.group === '' ? {} : { cgroup: request.group }),
  };
  return finishJoin(host, host.launch(launch), request.attach);
}

/** From the launch to the exec: `attach` moves a stage that waits at `created`. */
export function finishJoin(host: Host, stage: Launched, attach: JoinRequest['attach']): Joined {
  const heard: Heard = { fds: new Map(), pid: 0 };
  if (attach !== undefined) {
    awaitSync(host, stage, 'created', heard);
    attach(stage.pid);
    host.proceed(stage, 'created');
  }
  // As Podman's, of which `exec` finds nothing there where `run` has nothing to invoke.
  awaitSync(host, stage, 'ready', heard, 127);
  const pid = heard.pid === 0 ? stage.pid : heard.pid;
  const inner = { ...stage, pid, pidfd: heard.fds.get('pid') ?? stage.pidfd };
  host.proceed(stage, 'ready');
  const outcome = host.outcome(stage);
  const terminal = heard.fds.get('console');
  return terminal === undefined ? { stage: inner, outcome } : { stage: inner, outcome, terminal };
}

/** cgroups(7), "Delegation containment": the common ancestor of a process's group and the one it enters must be ours. */
export function canPlace(host: Host, directory: string): boolean {
  const own = unifiedPath(host.readFile('/proc/self/cgroup'));
  if (own === undefined) return false;
  const from = `/sys/fs/cgroup${own}`.split('/');
  const to = directory.split('/');
  let same = 0;
  while (same < to.length && same < from.length && from[same] === to[same]) same++;
  return host.access(`${to.slice(0, same).join('/')}/cgroup.procs`, 2);
}
