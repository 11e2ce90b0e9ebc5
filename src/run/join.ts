import { HostError, type Host, type Launched, type LaunchRequest, type Stdio } from '../host/host.ts';
import { encodeOps } from '../ops/encode.ts';
import { compileExec } from '../ops/exec.ts';
import type { Spec, SpecProcess } from '../plan/spec.ts';
import { awaitSync, type Heard } from './dialogue.ts';
import { Failure } from './failure.ts';

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
  /** Moves a process into the payload's group by systemd, where the kernel does not let us. */
  readonly attach?: (pid: number) => void;
}

/** Returns when the process runs, or has failed to be executed. */
export function joinContainer(host: Host, request: JoinRequest): Joined {
  const { spec, process, payload } = request;
  const { ops, descriptors } = compileExec(
    host,
    { spec, pidfd: payload, defaultSeccomp: request.defaultSeccomp },
    { args: process.args, env: process.env, cwd: process.cwd, user: process.user, terminal: process.terminal === true },
  );
  const launch: LaunchRequest = {
    namespaces: 0,
    sibling: false,
    ops: encodeOps(ops),
    stdio: request.stdio,
    descriptors,
  };
  const { stage, placed } = launchInto(host, launch, request.group);
  const heard: Heard = { fds: new Map(), pid: 0 };
  awaitSync(host, stage, 'ready', heard);
  const pid = heard.pid === 0 ? stage.pid : heard.pid;
  if (!placed && request.group !== '') {
    if (request.attach === undefined)
      throw new Failure(125, `${request.group}: a process may not be put into this control group`);
    request.attach(pid);
  }
  const inner = { ...stage, pid, pidfd: heard.fds.get('pid') ?? stage.pidfd };
  host.proceed(stage, 'ready');
  const outcome = host.outcome(stage);
  const terminal = heard.fds.get('console');
  return terminal === undefined ? { stage: inner, outcome } : { stage: inner, outcome, terminal };
}

/** CLONE_INTO_CGROUP works where the common ancestor of both groups is ours; elsewhere systemd has to move the process. */
function launchInto(host: Host, launch: LaunchRequest, group: string): { stage: Launched; placed: boolean } {
  if (group === '') return { stage: host.launch(launch), placed: false };
  try {
    return { stage: host.launch({ ...launch, cgroup: group }), placed: true };
  } catch (error) {
    if (!(error instanceof HostError) || (error.code !== 'EACCES' && error.code !== 'EPERM')) throw error;
    return { stage: host.launch(launch), placed: false };
  }
}
