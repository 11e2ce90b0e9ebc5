import type { Kernel } from './kernel.ts';

/**
 * The one door to the outside. Everything that reads, writes, starts or waits takes a `Host`.
 *
 * argv, environment, paths and file contents cross it as byte strings: one character per byte,
 * U+0000 to U+00FF (latin1). Decode for messages and for JSON with `base/text.ts`. All calls are
 * synchronous; a failed call throws `HostError`, except where `undefined` is documented.
 *
 * Implementations: `native.ts` (QuickJS, native/host*.c), `node.ts` (the parts Node can do), `fake.ts` (tests).
 */
export type Bytes = string;

/** A failed system call: `syscall` (lower case, as in man 2), `code` ("ENOENT"), `errno`, and the path or name concerned. */
export class HostError extends Error {
  readonly syscall: string;
  readonly code: string;
  readonly errno: number;
  readonly path: Bytes;
  constructor(syscall: string, code: string, errno: number, text: string, path: Bytes) {
    super(path === '' ? `${syscall}: ${text}` : `${path}: ${text}`);
    this.name = 'HostError';
    this.syscall = syscall;
    this.code = code;
    this.errno = errno;
    this.path = path;
  }
}

export type FileKind = 'file' | 'directory' | 'symlink' | 'block' | 'char' | 'fifo' | 'socket';

/** What stat(2) says; `mode` holds the permission bits only (0o7777); times in seconds since the epoch. */
export interface Stat {
  readonly kind: FileKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly device: number;
  readonly inode: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  readonly links: number;
  readonly mtime: number;
}

export interface DirectoryEntry {
  readonly name: Bytes;
  readonly kind: FileKind;
}

/** What readUnit gives: few arrays instead of many objects, which a boot would have to pay for. */
export interface UnitCut {
  readonly text: Bytes;
  /** Of each section its name, then key and value of each assignment. */
  readonly words: readonly Bytes[];
  /**
   * Of each section: line of its header, line behind it, where its lines begin and end in the text (without empty lines at the end), number of
   * assignments; then the line of each assignment. Lines count from 0.
   */
  readonly numbers: readonly number[];
}

/** Files. Every descriptor is close-on-exec from birth. */
export interface Files {
  /** Whole file. Throws ENOENT and the like; EFBIG above `limit` bytes (default 64 MiB). */
  readFile(path: Bytes, limit?: number): Bytes;
  /** As readFile; undefined when the path does not exist (ENOENT, ENOTDIR). */
  readFileIfExists(path: Bytes, limit?: number): Bytes | undefined;
  /**
   * Reads a regular file below `root`, resolved by openat2 with RESOLVE_IN_ROOT, so that no link leads out (T16, T18).
   * 'absent' when it does not exist; 'whiteout' when this layer hides the path in the layers below: an overlay whiteout (char
   * device 0:0) or something else that is no directory stands there or on the way, or a directory on the way is opaque.
   */
  readFileInRoot(root: Bytes, path: Bytes, limit: number): { data: Bytes } | 'absent' | 'whiteout';
  /**
   * A unit file of the usual kind, cut into its assignments: printable ASCII below 1 MiB, no blanks at the ends of lines or around an
   * equal sign, no continuation, nothing malformed. Undefined for any other file, and where the host cannot do it: then readFile and
   * src/unit/lexer.ts, which give the same. Throws ENOENT and the like.
   */
  readUnit(path: Bytes): UnitCut | undefined;
  /** Temporary name in the same directory, write, fsync, rename, fsync of the directory (T24). */
  writeFileAtomic(path: Bytes, data: Bytes, mode: number): void;
  /** Open with O_WRONLY|O_TRUNC (O_CREAT only when `mode` is given), one write, close: kernel files and tmpfs state. */
  writeFile(path: Bytes, data: Bytes, mode?: number): void;
  /** Creates one directory; false when it already was one. */
  mkdir(path: Bytes, mode: number): boolean;
  /** Creates the path with its parents. */
  mkdirs(path: Bytes, mode: number): void;
  /** Entries without `.` and `..`, in byte order of their names. Throws ENOENT. */
  list(path: Bytes): DirectoryEntry[];
  /** Follows links. undefined when absent. */
  stat(path: Bytes): Stat | undefined;
  lstat(path: Bytes): Stat | undefined;
  readlink(path: Bytes): Bytes;
  /** Canonical path; undefined when absent or in a loop (ENOENT, ENOTDIR, ELOOP). */
  realpath(path: Bytes): Bytes | undefined;
  symlink(target: Bytes, path: Bytes): void;
  link(from: Bytes, to: Bytes): void;
  rename(from: Bytes, to: Bytes): void;
  /** False when it was not there. */
  unlink(path: Bytes): boolean;
  rmdir(path: Bytes): boolean;
  chmod(path: Bytes, mode: number): void;
  chown(path: Bytes, uid: number, gid: number): void;
  /** access(2) with R_OK 4, W_OK 2, X_OK 1. */
  access(path: Bytes, mode: number): boolean;
  /** Removes a tree by directory descriptors, never following a link (T20). False when absent; throws the first error after trying all. */
  removeTree(path: Bytes): boolean;
  /**
   * flock(2) on a file that is created 0600 when absent. undefined when `wait` is false and another holds it. Who holds it exclusively may
   * remove the file: those who waited lock the one that has its name then.
   */
  lock(path: Bytes, exclusive: boolean, wait: boolean): Lock | undefined;
  /** statfs f_type. */
  fsType(path: Bytes): number;
  /** fsync of a file or directory. */
  sync(path: Bytes): void;
}

export interface Lock {
  release(): void;
}

/** How a process ended: exactly one of the two is set. */
export interface Exit {
  readonly status?: number;
  readonly signal?: number;
}

export interface SpawnRequest {
  readonly argv: readonly Bytes[];
  /** The whole environment, `NAME=VALUE`. Default: none of ours passes. */
  readonly environment?: readonly Bytes[];
  /** Written to standard input, which then is closed; or a descriptor of ours. Default: /dev/null. */
  readonly input?: Bytes | number;
  /** 'capture' collects (limit 16 MiB), 'inherit' shares ours, a number is a descriptor of ours. Default: inherit. */
  readonly stdout?: 'capture' | 'inherit' | number;
  readonly stderr?: 'capture' | 'inherit' | number;
  /** Ended by SIGKILL after this many milliseconds. */
  readonly timeout?: number;
  /** Of `spawn`: SIGTERM goes to the child, and ends us when it has been waited for. One child at a time. */
  readonly endsFirst?: boolean;
}

export interface SpawnResult extends Exit {
  readonly stdout: Bytes;
  readonly stderr: Bytes;
}

/** A child that runs beside us. */
export interface Child {
  readonly pid: number;
  readonly pidfd: number;
}

/** One of two processes that share a work; both have what was there before. `fd` is a stream socket to the other one. */
export interface Half extends Child {
  /** True in the process that was made; its `pid` and `pidfd` name nothing. */
  readonly second: boolean;
  readonly fd: number;
}

export interface Processes {
  /** fork(2): returns in both processes. The second ends when the first does. Once per process; undefined after that, with one processor, and where the host cannot do it. */
  split(): Half | undefined;
  /** Runs to the end. argv[0] is looked up in PATH=/usr/sbin:/usr/bin:/sbin:/bin when it has no slash. Throws ENOENT, EACCES of exec. */
  run(request: SpawnRequest): SpawnResult;
  /** Starts without waiting (`capture` and text as `input` are refused). */
  spawn(request: SpawnRequest): Child;
  /** Waits for a child of ours. */
  wait(child: Child): Exit;
  /**
   * Replaces this program. Only descriptors 0, 1, 2 pass. Returns only by throwing. `apart`: what takes its place has a session of its own, and
   * this process stays to hand on its signals and to end as it ends (native/apart.c).
   */
  exec(argv: readonly Bytes[], environment: readonly Bytes[], apart?: boolean): never;
  /** pidfd_open(2); undefined when there is no such process. */
  openProcess(pid: number): number | undefined;
  /** Field 22 of /proc/PID/stat as decimal text; undefined when there is no such process. */
  startTime(pid: number): string | undefined;
  /** pidfd_send_signal(2); false when the process is gone. */
  signal(pidfd: number, signal: number): boolean;
  /** poll(2) for reading (pidfds become readable when the process ends). Ready ones; empty after `timeout` ms (-1: none). */
  poll(fds: readonly number[], timeout: number): number[];
  close(fd: number): void;
  /** Writes all. */
  write(fd: number, data: Bytes): void;
}

export interface Facts {
  readonly argv: readonly Bytes[];
  environment(name: Bytes): Bytes | undefined;
  environmentList(): readonly Bytes[];
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly euid: number;
  /** Seconds since the epoch, with fraction. */
  now(): number;
  /** CLOCK_MONOTONIC in microseconds. */
  monotonic(): number;
  /** uname -r. */
  kernelRelease(): Bytes;
  hostName(): Bytes;
  cwd(): Bytes;
  /** n bytes of getrandom(2) as lower-case hexadecimal (2n characters). */
  random(n: number): string;
  isTerminal(fd: number): boolean;
}

/** Unix sockets, enough for sd_notify, D-Bus and varlink. */
export interface Sockets {
  /** SOCK_STREAM or SOCK_DGRAM connected to a path; a leading `@` means the abstract namespace. */
  connectUnix(path: Bytes, type: 'stream' | 'datagram'): number;
  /** send with descriptors by SCM_RIGHTS. */
  send(fd: number, data: Bytes, fds?: readonly number[]): void;
  /** Up to `limit` bytes of a socket or pipe; empty at the end of the stream. Blocks; ETIMEDOUT after `timeout` ms. */
  receive(fd: number, limit: number, timeout: number): { data: Bytes; fds: number[] };
  /** sd_notify(3) to $NOTIFY_SOCKET; false when there is none. With `barrier` it waits until the manager has processed it (at most 5 s). */
  notify(state: Bytes, barrier: boolean): boolean;
}

export * from './kernel.ts';

export interface Host extends Files, Processes, Facts, Sockets, Kernel {}
