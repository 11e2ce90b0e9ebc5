import type { ImageRecord } from '../image/types.ts';
import type { IdPlan } from './context.ts';
import type { RunRequest } from './request.ts';
import type { Spec, SpecIdMapping } from './spec.ts';

/** What a plan is made of; `plan/plan.ts` is a pure function `PlanInput → Result<Plan, Problem[]>`. */
export interface PlanInput {
  readonly request: RunRequest;
  /** Absent with --rootfs. */
  readonly image?: ImageRecord;
  readonly facts: PlanFacts;
}

/** What the launcher found out about the host before planning. */
export interface PlanFacts {
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  /** Those of --hostuser. */
  readonly hostUsers?: readonly {
    readonly name: string;
    readonly uid: number;
    readonly gid: number;
    readonly fullName: string;
    readonly home: string;
  }[];
  /** Ranges of /etc/subuid and /etc/subgid (or getsubids): host ids. */
  readonly subUids: readonly { readonly start: number; readonly count: number }[];
  readonly subGids: readonly { readonly start: number; readonly count: number }[];
  /** newuidmap may be used: it exists and no-new-privileges is off for us. */
  readonly idMapHelpers: boolean;
  /** Why not. */
  readonly idMapProblem?: string;
  /** Our own id map is the identity of the initial namespace (false inside an outer user namespace). */
  readonly ourUidMap: readonly SpecIdMapping[];
  readonly ourGidMap: readonly SpecIdMapping[];
  /** Controllers that may be enabled for the payload's cgroup. */
  readonly controllers: readonly string[];
  /** /etc/passwd and /etc/group of the image (or rootfs), empty when it has none. */
  readonly passwd: string;
  readonly group: string;
  /** Lower directories of the image, top first. */
  readonly layers: readonly string[];
  /** Directory of the container's writable layer in the store (upper/, work/ inside); empty: none. */
  readonly layer: string;
  /** The bundle directory. */
  readonly bundle: string;
  /** Volumes resolved to host directories: key `kind:NAME`, or `anonymous:TARGET`. `fresh`: to be filled from the image. */
  readonly volumes: Readonly<Record<string, VolumeFacts>>;
  /** Content of the secrets that the request names, as far as they exist. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Kind of each absolute bind source that exists. */
  readonly sources: Readonly<Record<string, 'directory' | 'file' | 'other'>>;
  /** Host device nodes asked for, by path (directories already expanded). */
  readonly devices: Readonly<
    Record<
      string,
      readonly {
        readonly path: string;
        readonly type: 'c' | 'b';
        readonly major: number;
        readonly minor: number;
        readonly mode: number;
        readonly uid: number;
        readonly gid: number;
      }[]
    >
  >;
  /** Files the launcher writes into the bundle and plan binds: hosts, resolv.conf, hostname. */
  readonly etcFiles: boolean;
  readonly notifySocket: boolean;
  /** Descriptors of LISTEN_FDS and LISTEN_FDNAMES. */
  readonly listen: { readonly count: number; readonly names: string };
  readonly kernel: { readonly major: number; readonly minor: number };
  /** As Go names it. */
  readonly architecture: 'amd64' | 'arm64';
  /** Enabled on the host. */
  readonly selinux: boolean;
  readonly apparmor: boolean;
  readonly hostName: string;
  /** Content of the seccomp profile named by the request, or of the default one where the built-in program does not do. */
  readonly seccompProfile?: string;
  readonly proxyEnvironment: readonly string[];
  /** CapBnd of proc_pid_status(5), where capabilities are asked for. */
  readonly boundingSet?: string;
  /** Our own limits by the names of `plan/limits.ts`, in the units of getrlimit(2). */
  readonly limits: Readonly<
    Record<string, { readonly soft: number | 'unlimited'; readonly hard: number | 'unlimited' }>
  >;
  /** WATCHDOG_USEC of the unit. */
  readonly watchdog?: string;
  /** Namespaces to join: key `TYPE MODE` (`pid container:web`), value the path of the namespace file. */
  readonly joins: Readonly<Record<string, string>>;
  /** Maps of the user namespace in `joins`. */
  readonly joinedMaps?: { readonly uid: readonly SpecIdMapping[]; readonly gid: readonly SpecIdMapping[] };
  /** For `--userns auto`: host ids that may be given out, and those that other containers have. */
  readonly auto?: Readonly<
    Record<'uid' | 'gid', { readonly ranges: readonly IdRange[]; readonly used: readonly IdRange[] }>
  >;
}

export interface IdRange {
  readonly start: number;
  readonly count: number;
}

export interface VolumeFacts {
  readonly path: string;
  readonly fresh: boolean;
  /** The directory of its record, by which those lock it who may fill it; absent: nobody else does, or it is filled. */
  readonly record?: string;
  /** A file system of its own is mounted there when it is needed: what it holds shows then. */
  readonly covered?: true;
  /** Nobody was named as its owner: the first container's user becomes it. */
  readonly unowned?: boolean;
  /** Words of `--opt o=` that each mount of it gets. */
  readonly words?: readonly string[];
  /** An account's volume of type tmpfs: each container mounts its own. */
  readonly tmpfs?: readonly string[];
  /** The layers of an image, top first; `path` is empty. */
  readonly lower?: readonly string[];
  /** Directory with upper/ and work/ for what is written over `lower`. Absent: read-only. */
  readonly writable?: string;
}

export type RootFileSystem =
  | {
      readonly kind: 'overlay';
      /** Top first. */
      readonly lower: readonly string[];
      /** Both empty: read-only root without a writable layer. */
      readonly upper: string;
      readonly work: string;
      readonly userxattr: boolean;
      /** The layer goes with the container (`--rm`): nothing of it needs to reach the disk, not even at the unmount. */
      readonly volatile: boolean;
      readonly context: string;
      /** Lower layers are mounted through the container's id maps: they belong to other ids than these maps give. */
      readonly idMapped: boolean;
      readonly nodev: boolean;
    }
  | {
      readonly kind: 'directory';
      readonly path: string;
      readonly idMapped: boolean;
      /** Device nodes of the image do not open: without a user namespace they would be the host's devices. */
      readonly nodev: boolean;
    };

/** All that a start needs; `spec` is the public contract (written as config.json), the rest is what OCI has no word for. */
export interface Plan {
  readonly spec: Spec;
  readonly root: RootFileSystem;
  /** The container's maps in ids of the namespace outside (IdPlan); absent: the layers' owners are right as they are. */
  readonly outer?: IdPlan['outer'];
  /** Layers of the images that are mounted besides the root. */
  readonly mountedLayers: readonly string[];
  /** Everything is opened in the namespace outside, before the container's own user namespace is there (ops/outside.ts). */
  readonly outside: boolean;
  /** Volumes to give to uid and gid inside (-1: nobody) and to fill from the image (an empty target: nothing), before the payload runs. */
  readonly copyUps: readonly {
    readonly path: string;
    readonly target: string;
    readonly uid: number;
    readonly gid: number;
    /** The volume's `record`; empty: none. */
    readonly record: string;
  }[];
  /** Files of the bundle besides config.json: name, text and mode (default 0644). */
  readonly files: readonly { readonly name: string; readonly text: string; readonly mode?: number }[];
  /** Variables that config.json does not show: secrets. */
  readonly secretEnvironment: readonly string[];
  /** Directories to make (0700, as the container's root) before the stage starts: upper and work of `:O` mounts. */
  readonly directories: readonly string[];
  /** Bind sources to chown for `:U`; ids inside the container. */
  readonly chowns: readonly {
    readonly path: string;
    /** As of the mount. */
    readonly within?: string;
    readonly uid: number;
    readonly gid: number;
  }[];
  /** Host files and trees that get an SELinux context, after they were filled and given away: `:z`, `:Z`, new volumes, our own files. */
  readonly relabels: readonly { readonly path: string; readonly label: string }[];
  /** Files of the payload's cgroup: name and value, written before the clone. */
  readonly cgroup: readonly {
    readonly file: string;
    readonly value: string;
    readonly controller: string;
    readonly required: boolean;
  }[];
  readonly stopSignal: number;
  readonly stopTimeout: number;
  readonly init: boolean;
  /** Only the image's working directory, or one below a mount, is made when it is missing (podman-run(1), --workdir). */
  readonly keepCwd: boolean;
  /** Warnings: printed once, the start goes on. */
  readonly warnings: readonly string[];
  /** True when spec.linux.seccomp is the default profile as compiled at build time. */
  readonly defaultSeccomp: boolean;
}

export type { ImageRecord, RunRequest, Spec };
