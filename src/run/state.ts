import type { MountRequest, RunRequest } from '../plan/request.ts';

/**
 * The runtime directory: one directory per container, gone on stop.
 *
 * RUNTIME is, for root, `/run/berth`; for another account the first that it owns of `$XDG_RUNTIME_DIR/berth`,
 * `/run/berth/users/UID` (made by `berth account prepare`, ExecStartPre=+ of units with User=) and `$RUNTIME_DIRECTORY/berth` (DynamicUser=).
 * Readers look into all that exist.
 *
 * ```
 * RUNTIME/containers/NAME/       0700
 *   config.json                  the bundle (OCI runtime specification)
 *   state.json                   ContainerState, written by rename; absent: the start did not come that far
 *   notify                       socket of the relay (bind-mounted into the container)
 *   ask                          another of its: a datagram is a health check now
 *   hosts resolv.conf hostname   sources of the container's /etc files
 *   pasta.pid                    network helper
 * RUNTIME/locks/NAME             flock held while a start or a removal of this name changes anything
 * ```
 */

export const STATE_VERSION = 1;

/** The id that a transient unit's container has: the fields of its log name it before it is there. */
export const ID_VARIABLE = 'BERTH_CONTAINER_ID';

/** With a number behind it: `NAME=VALUE` of a label that a transient unit's container has from a file. */
export const LABEL_VARIABLE = 'BERTH_LABEL_';

/** What others must know of the checks that the relay makes. */
export interface HealthState {
  /** File with the results. */
  readonly log: string;
  /** A file that is made when the container is stopped: failures are no news any more. */
  readonly stopping: string;
  /** Of the check for health; empty: there is none, or it is a connection. */
  readonly command: readonly string[];
  /** `port:N`, `http:N/PATH`, `unix:PATH`; absent: it is a command, or the state is of an older version. */
  readonly connection?: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** Milliseconds; 0: never by itself. These three are absent in states of older versions. */
  readonly interval?: number;
  readonly retries?: number;
  /** Milliseconds in which failures do not count. */
  readonly startPeriod?: number;
}

/** Together they name a process. */
export interface ProcessName {
  readonly pid: number;
  readonly startTime: string;
}

/** Of what was asked for, for `inspect` and lists alone. */
export interface Asked {
  /** `user[:group]` as written, or as the image has it. */
  readonly user?: string;
  readonly cidfile?: string;
  readonly hosts?: readonly string[];
  readonly volumesFrom?: readonly string[];
  readonly notify?: string;
  /** Seconds. */
  readonly timeout?: number;
  readonly restart?: RunRequest['restart'];
  readonly interactive?: true;
  readonly publishAll?: true;
}

export interface ContainerState {
  readonly version: 1;
  readonly name: string;
  /** 64 hexadecimal digits, new for each start. */
  readonly id: string;
  /** Host pid of the payload and its start time (/proc/PID/stat field 22): together they name a process. */
  readonly pid: number;
  readonly startTime: string;
  /** Unit of systemd, and which manager it belongs to; empty when there is none. */
  readonly unit: string;
  readonly manager: 'system' | 'user' | '';
  /** Path below /sys/fs/cgroup of the payload's cgroup; empty when there is none. */
  readonly cgroup: string;
  readonly image: string;
  readonly imageId: string;
  /** Ids of the images that are mounted in it; absent: none, or the state is of an older version. */
  readonly mountedImages?: readonly string[];
  readonly command: readonly string[];
  /** Seconds since the epoch. */
  readonly created: number;
  /** The same of its first start, where this is a further one. */
  readonly first?: number;
  readonly stopSignal: number;
  /** Seconds. */
  readonly stopTimeout: number;
  /** Writable layer in the store; empty with --rootfs. */
  readonly layer: string;
  /** --rm was given. */
  readonly remove: boolean;
  /** --rmi was given. */
  readonly removeImage?: boolean;
  /** Its unit starts it again (--restart): while it waits to do so, a stop is the unit's, too. */
  readonly restarts?: boolean;
  /** Maps in force; empty arrays: no user namespace. Recorded so that `rm` can enter one like it. */
  readonly uidMap: readonly (readonly [inside: number, outside: number, count: number])[];
  readonly gidMap: readonly (readonly [inside: number, outside: number, count: number])[];
  /** They are this container's alone (`--userns auto`). */
  readonly autoIds?: boolean;
  /** Anonymous volumes, removed with the container by `rm -v`. */
  readonly anonymousVolumes: readonly string[];
  /** The pod that it is a member of, or holds. */
  readonly pod?: string;
  /** Binds and volumes that were asked for; absent in states of older versions. */
  readonly mounts?: readonly Extract<MountRequest, { kind: 'bind' | 'volume' }>[];
  /** Volumes with a name; absent in states of older versions. */
  readonly volumes?: readonly string[];
  readonly ports: readonly { host: string; hostPort: number; port: number; protocol: string }[];
  readonly labels: Readonly<Record<string, string>>;
  /** What nothing else here tells, and is not as it is by default. */
  readonly asked?: Asked;
  readonly logDriver: string;
  /** The file of a driver that writes one. */
  readonly logPath?: string;
  readonly runtime: string;
  /** The seccomp program is the one made at build time: `exec` need not compile it. Absent: false. */
  readonly defaultSeccomp?: boolean;
  readonly health?: HealthState;
  /** Holds the writing end of its standard input, as descriptor 1 (input.ts). */
  readonly input?: ProcessName;
  /** What the network code needs to take down again: opaque to the rest. `process` carries it: without that nobody is reached. */
  readonly network: {
    readonly kind: string;
    readonly data?: unknown;
    readonly process?: ProcessName;
    readonly resolver?: unknown;
  };
}

/** Seconds since the epoch when the container was made: `created` is when it was last started. */
export function madeAt({ first, created }: ContainerState): number {
  return first ?? created;
}

/** For a list with the one made last at its head. Within a second, which is all that the times say, the one that was started last. */
export function laterMade(a: ContainerState, b: ContainerState): number {
  return madeAt(b) - madeAt(a) || Number(b.startTime) - Number(a.startTime);
}
