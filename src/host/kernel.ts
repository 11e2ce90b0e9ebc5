import type { Bytes, Child, Exit } from './host.ts';

/** Bits of clone(2). */
export const CLONE = {
  NEWTIME: 0x80,
  PARENT: 0x8000,
  NEWNS: 0x20000,
  NEWCGROUP: 0x2000000,
  NEWUTS: 0x4000000,
  NEWIPC: 0x8000000,
  NEWUSER: 0x10000000,
  NEWPID: 0x20000000,
  NEWNET: 0x40000000,
} as const;

/** What stays beside a payload, by what it can (`relay_program`, native/launch.h): each can what the one before it can. */
export const RELAY = { PLAIN: 0, PROBER: 1, FILER: 2 } as const;
export type RelayProgram = (typeof RELAY)[keyof typeof RELAY];

/** What the payload has as descriptors 0, 1, 2: /dev/null, ours, or one of ours by number. */
export type Stdio = 'null' | 'inherit' | number;

/**
 * Starts the stage: clone3 with the flags, then execveat of the sealed memfd that holds native/tiny, which plays `ops`.
 * See packaging/decisions/0002-processes.md for the protocol.
 */
export interface LaunchRequest {
  /** Namespaces of CLONE to create. */
  readonly namespaces: number;
  /** CLONE_PARENT: the new process becomes a sibling, systemd's own child. Then `Processes.wait` does not work on it. */
  readonly sibling: boolean;
  /** Directory of a cgroup for CLONE_INTO_CGROUP. */
  readonly cgroup?: Bytes;
  /** Encoded list of `ops/encode.ts`. */
  readonly ops: Bytes;
  /** Descriptors 0, 1, 2. */
  readonly stdio: readonly [Stdio, Stdio, Stdio];
  /** Further descriptors of ours which the ops name by their index here (stage number 70 + index). */
  readonly descriptors: readonly number[];
}

/** A stage that was started. `control` speaks the protocol of decision 0002; `status` is closed by a successful exec. */
export interface Launched {
  readonly pid: number;
  readonly pidfd: number;
  readonly control: number;
  readonly status: number;
}

export interface Kernel {
  launch(request: LaunchRequest): Launched;
  /**
   * Next message of the stage, or `closed` when its end of the control socket is gone.
   * `at NAME`: waits at sync NAME. `fail STEP ERRNO TEXT`: ended with an error. `pid N`: the forked process's pid.
   */
  receiveMessage(stage: Launched): { message: Bytes; fds: number[] } | 'closed';
  /** Lets the stage go on past sync NAME; `ids`: the id maps are written. */
  proceed(stage: Launched, name: Bytes): void;
  /** Waits until the status pipe is closed. Empty text: the payload runs; otherwise `STEP ERRNO EXIT TEXT`. */
  outcome(stage: Pick<Launched, 'status'>): Bytes;
  /** A pipe [read, write]; `owner` is given the write end by fchown. */
  pipe(owner?: { uid: number; gid: number }): [number, number];
  /**
   * Forks and execs the relay, with these words and descriptors (10 + index): PROBER asks for readiness and health,
   * FILER watches over the network and can write a log file, too. With `probes` the stage's program follows the descriptors. Its pid.
   */
  relay(words: readonly Bytes[], descriptors: readonly number[], probes: boolean, program: RelayProgram): Child;
  /** Runs the payload's terminal or plain streams until it ends, forwarding signals; its end. */
  attend(stage: Pick<Launched, 'pidfd'>, request: AttendRequest): AttendEnd;
  /** The `linux.seccomp` object of an OCI configuration (JSON text), compiled by libseccomp to a BPF program (struct sock_filter records). */
  compileSeccomp(profile: Bytes): Bytes;
  /**
   * The ready BPF program of a default profile, made at build time, by its number in plan/built-in-seccomp.ts; as the field of the operation
   * `seccomp`, with 00 and 01 escaped.
   */
  defaultSeccomp(number: number): Bytes;
  /** Creates an AF_UNIX socket bound at `path` with this mode; its descriptor. A stream socket listens. */
  bindUnix(path: Bytes, type: 'stream' | 'datagram', mode: number): number;
  /** accept(2): waits for one who connects. */
  accept(listener: number): number;
  /**
   * Says that a process will soon change its control group. Before the first such move in a while the kernel waits for all processors
   * (about 10 ms); with the `cgroup.procs` of any group that we may write and that has a process, that begins now, beside us: the process is
   * written to the group it is in. A hint: nothing comes of a failure.
   */
  expectMove(file: Bytes): void;
  /** Attaches a program of type BPF_PROG_TYPE_CGROUP_DEVICE (struct bpf_insn records) to a control group, beside those that are there. */
  limitDevices(directory: Bytes, program: Bytes): void;
  open(path: Bytes, flags: number): number;
  fchown(fd: number, uid: number, gid: number): void;
}

export interface AttendRequest {
  /** Pty master when the payload has a terminal; our standard streams are relayed to it in raw mode. */
  readonly terminal?: number;
  /** Signals that are handed on to the payload (numbers). */
  readonly forward: readonly number[];
  /** True: the payload is a child of ours and is reaped. False: its end is known on Linux 6.15 and newer only, else 0. */
  readonly child: boolean;
  /** ctrl-p ctrl-q typed into our terminal ends the attendance and leaves the payload alone. */
  readonly detachable?: boolean;
}

/** `detached`: the payload still runs (status 0). */
export interface AttendEnd extends Exit {
  readonly detached?: true;
}
