import { problem, type Problem } from '../base/problem.ts';
import type { Bytes } from '../host/host.ts';
import { printable } from './printable.ts';
import type { RunRequest } from './request.ts';

/** What a command line refers to besides itself: env-files and our environment. */
export interface Reader {
  /** undefined when the file cannot be read. */
  readFile(path: Bytes): Bytes | undefined;
  environment(name: Bytes): Bytes | undefined;
  environmentList(): readonly Bytes[];
  cwd(): Bytes;
}

type Mutable<T> = {
  -readonly [K in keyof T]: T[K] extends readonly (infer U)[]
    ? U[]
    : T[K] extends Readonly<Record<string, string>>
      ? Record<string, string>
      : T[K];
};

/** A RunRequest in the making, with what several options decide together and the problems so far. */
export interface Draft {
  readonly request: Mutable<RunRequest>;
  readonly reader: Reader;
  readonly problems: Problem[];
  readonly fileEnvironment: string[];
  readonly fileLabels: Record<string, string>;
  readonly ip: { ip?: string; ip6?: string; mac?: string };
  readonly maps: { uid: string[]; gid: string[]; subUid?: string; subGid?: string };
  readonly cpu: { period?: number; quota?: number };
  isRootfs: boolean;
  userns?: string;
}

/** Notes a bad value: which option, which value, what is wrong, what is right. */
export function bad(draft: Draft, option: string, value: string, what: string, hint?: string): void {
  const place = hint === undefined ? { key: `--${option}` } : { key: `--${option}`, hint };
  draft.problems.push(problem('option-value', printable(`--${option} ${value}: ${what}`), place));
}

/** Takes the value when it was read; else notes the problem. */
export function take<T>(
  draft: Draft,
  option: string,
  value: string,
  read: T | undefined,
  what: string,
  set: (read: T) => void,
): void {
  if (read === undefined) bad(draft, option, value, what);
  else set(read);
}

// One line per field of the request, and nothing else.
// eslint-disable-next-line max-lines-per-function
export function newDraft(reader: Reader, name: string): Draft {
  return {
    reader,
    problems: [],
    fileEnvironment: [],
    fileLabels: {},
    ip: {},
    maps: { uid: [], gid: [] },
    cpu: {},
    isRootfs: false,
    request: {
      name,
      leftOut: [],
      pull: 'missing',
      replace: false,
      remove: false,
      removeImage: false,
      timeout: 0,
      detach: false,
      restart: { after: 'never' },
      interactive: false,
      tty: false,
      init: false,
      systemd: 'auto',
      cgroups: 'enabled',
      sdnotify: 'container',
      logDriver: 'journald',
      logOptions: [],
      command: [],
      environment: [],
      environmentMerge: [],
      environmentHost: false,
      unsetEnvironment: [],
      httpProxy: true,
      groups: [],
      passwd: true,
      hostUsers: [],
      umask: 0o022,
      labels: {},
      annotations: {},
      readOnly: false,
      readOnlyTmpfs: true,
      mounts: [],
      volumesFrom: [],
      devices: [],
      imageVolumes: 'anonymous',
      capAdd: [],
      capDrop: [],
      privileged: false,
      noNewPrivileges: false,
      selinux: { disable: false },
      mask: [],
      unmask: [],
      sysctls: {},
      ulimits: [],
      resources: { unified: {} },
      userns: { kind: 'default' },
      pid: 'private',
      ipc: 'private',
      uts: 'private',
      cgroupns: 'private',
      networks: [],
      ports: [],
      exposed: [],
      publishAll: false,
      dns: [],
      dnsSearch: [],
      dnsOptions: [],
      addHosts: [],
      networkAliases: [],
      hostsFile: '',
      noHosts: false,
      noHostname: false,
      procOptions: [],
      health: {},
      secrets: [],
    },
  };
}
