/**
 * What `berth run` was asked for, checked and typed: the value between `command/` (words) and `plan/` (config.json).
 * `plan/request-parse.ts` makes it from a Command and reports every bad value as a Problem.
 * Strings are byte strings.
 */
export interface RunRequest {
  readonly name: string;
  /** What was asked for and is left out, as a start and `check` tell it. */
  readonly leftOut: readonly { readonly option: string; readonly text: string }[];
  /** Exactly one of image and rootfs. */
  readonly image?: string;
  readonly rootfs?: { readonly path: string; readonly overlay: boolean; readonly idmap?: boolean };
  readonly pull: 'always' | 'missing' | 'never' | 'newer';
  readonly replace: boolean;
  readonly remove: boolean;
  /** --rmi, which implies `remove`. */
  readonly removeImage: boolean;
  /** Seconds until the payload is killed; 0: none. */
  readonly timeout: number;
  readonly detach: boolean;
  /** After which end the container of `-d` is started again; `most`: how often in an hour. */
  readonly restart: {
    readonly after: 'never' | 'always' | 'failure';
    readonly most?: number;
    /** As it was called; it is `always`. */
    readonly unlessStopped?: true;
  };
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly init: boolean;
  /** Treat the payload as systemd: by its name, always or never. */
  readonly systemd: 'auto' | 'always' | 'never';
  readonly pidfile?: string;
  readonly cidfile?: string;
  readonly cgroups: 'split' | 'enabled' | 'disabled' | 'no-conmon';
  readonly sdnotify: 'conmon' | 'container' | 'healthy' | 'ignore' | 'probe';
  /** With `probe`: `port:N`, `http:N/PATH` or `unix:PATH`. */
  readonly readiness?: string;
  readonly runtime?: string;
  readonly logDriver: 'journald' | 'passthrough' | 'passthrough-tty' | 'none' | 'k8s-file' | 'json-file';
  readonly logOptions: readonly string[];

  /** undefined: the image's. An empty array clears it. */
  readonly entrypoint?: readonly string[];
  /** Words after the image; empty: the image's command. */
  readonly command: readonly string[];
  /** `NAME=VALUE`, in order, env-files first; `NAME` alone was resolved from our environment. */
  readonly environment: readonly string[];
  /** `NAME=VALUE` of --env-merge, in order: for the image's environment, before `environment`. */
  readonly environmentMerge: readonly string[];
  /** --env-host: our own environment already stands at the beginning of `environment`. */
  readonly environmentHost: boolean;
  /** `*`: all that Berth and the image set. */
  readonly unsetEnvironment: readonly string[];
  /** Pass our proxy variables on. */
  readonly httpProxy: boolean;
  readonly workdir?: string;
  /** `user[:group]` as written. */
  readonly user?: string;
  readonly groups: readonly string[];
  /** Give the user a line in /etc/passwd and /etc/group where the image has none. */
  readonly passwd: boolean;
  readonly passwdEntry?: string;
  readonly groupEntry?: string;
  /** Users of the host, by name or number. */
  readonly hostUsers: readonly string[];
  readonly hostname?: string;
  readonly timezone?: string;
  readonly umask: number;
  readonly stopSignal?: number;
  /** Seconds. */
  readonly stopTimeout?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;

  readonly readOnly: boolean;
  readonly readOnlyTmpfs: boolean;
  readonly mounts: readonly MountRequest[];
  readonly volumesFrom: readonly { readonly container: string; readonly readOnly: boolean; readonly shared: boolean }[];
  readonly devices: readonly DeviceRequest[];
  /** The image's volumes that no mount covers. */
  readonly imageVolumes: 'anonymous' | 'tmpfs' | 'ignore';
  /** Bytes; 0: no limit. */
  readonly shmSize?: number;

  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly privileged: boolean;
  readonly noNewPrivileges: boolean;
  /** Path of a profile, or `unconfined`; undefined: the default profile. */
  readonly seccomp?: string;
  readonly apparmor?: string;
  readonly selinux: {
    readonly disable: boolean;
    readonly type?: string;
    readonly level?: string;
    readonly filetype?: string;
    readonly nested?: boolean;
  };
  readonly mask: readonly string[];
  readonly unmask: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** Lower-case names without RLIMIT_; one of type `host`: ours, unchanged. */
  readonly ulimits: readonly {
    readonly type: string;
    readonly soft: number | 'unlimited';
    readonly hard: number | 'unlimited';
  }[];
  readonly oomScoreAdj?: number;

  readonly resources: {
    /** Bytes; -1 unlimited. */
    readonly memory?: number;
    readonly memoryReservation?: number;
    readonly memorySwap?: number;
    /** 0 or -1: unlimited. undefined: the default (2048 where the controller is there). */
    readonly pids?: number;
    /** Fraction of a CPU. */
    readonly cpus?: number;
    readonly cpuShares?: number;
    readonly cpusetCpus?: string;
    readonly unified: Readonly<Record<string, string>>;
  };

  readonly userns: UserNamespaceRequest;
  /** Namespace modes: private, host, `container:NAME`, `ns:PATH`. */
  readonly pid: string;
  readonly ipc: string;
  readonly uts: string;
  readonly cgroupns: string;
  /** Empty: the default network. `none`, `host`, `pasta[:…]`, `bridge[:…]`, NAME[:…], `container:NAME`, `ns:PATH`. */
  readonly networks: readonly string[];
  readonly ports: readonly PortRequest[];
  /** --expose, for `publishAll`. */
  readonly exposed: readonly PortRequest[];
  /** Exposed ports that nothing publishes get a free one of the host (publish-all.ts). */
  readonly publishAll: boolean;
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** `address` may be `host-gateway`. */
  readonly addHosts: readonly { readonly name: string; readonly address: string }[];
  readonly networkAliases: readonly string[];
  /** What /etc/hosts begins with: a file, `image`, `none`; empty: the host's. */
  readonly hostsFile: string;
  /** Keep the image's own /etc/hosts and /etc/hostname. */
  readonly noHosts: boolean;
  readonly noHostname: boolean;
  /** Options of /proc, e.g. `hidepid=2`. */
  readonly procOptions: readonly string[];
  readonly pod?: string;
  /** `--health-NAME` as written, and `disable`; plan/health.ts reads them. */
  readonly health: Readonly<Record<string, string>>;
  readonly secrets: readonly SecretRequest[];
}

export type MountRequest =
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly options: MountOptions }
  | {
      readonly kind: 'volume';
      readonly source: string /* empty: anonymous */;
      readonly target: string;
      readonly options: MountOptions;
      readonly subpath?: string;
    }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly options: readonly string[]; readonly copyUp: boolean }
  | {
      readonly kind: 'image' | 'artifact' | 'glob' | 'devpts' | 'ramfs';
      readonly source: string;
      readonly target: string;
      readonly options: MountOptions;
      /** Of an image. */
      readonly subpath?: string;
    };

export interface MountOptions {
  readonly readOnly: boolean;
  /** `rw` was said: an image is mounted read-only without it. */
  readonly writes?: boolean;
  /** `:U`: chown to the payload's ids. */
  readonly chown: boolean;
  readonly idmap?: string;
  readonly relabel?: 'shared' | 'private';
  /** `nocopy` is false. */
  readonly copy: boolean;
  readonly overlay: boolean;
  readonly propagation?:
    'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave' | 'unbindable' | 'runbindable';
  readonly recursive: boolean;
  /** nosuid, nodev, noexec and their opposites, as written. */
  readonly flags: readonly string[];
}

export interface SecretRequest {
  readonly name: string;
  readonly type: 'mount' | 'env';
  /** Path inside, or name of the variable. */
  readonly target: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface DeviceRequest {
  readonly host: string;
  readonly target: string;
  /** Subset of `rwm`. */
  readonly access: string;
  /** Nothing is said when it is not there. */
  readonly optional?: true;
}

export interface PortRequest {
  /** Empty: all addresses. */
  readonly hostAddress: string;
  /** 0: any free one. */
  readonly hostPort: number;
  readonly port: number;
  /** How many consecutive ports. */
  readonly count: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
}

export type UserNamespaceRequest =
  | { readonly kind: 'default' }
  | { readonly kind: 'host' }
  | { readonly kind: 'keep-id'; readonly uid?: number; readonly gid?: number; readonly size?: number }
  | { readonly kind: 'nomap' }
  | {
      readonly kind: 'auto';
      readonly size?: number;
      readonly uidMaps: readonly string[];
      readonly gidMaps: readonly string[];
    }
  | {
      readonly kind: 'maps';
      readonly uidMaps: readonly string[];
      readonly gidMaps: readonly string[];
      readonly subUidName?: string;
      readonly subGidName?: string;
    }
  | { readonly kind: 'join'; readonly target: string };
