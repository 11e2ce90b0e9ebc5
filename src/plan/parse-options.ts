import { problem } from '../base/problem.ts';
import { bad, take, type Draft } from './draft.ts';
import { choice, flag, NOT_SIZE, nothing, path, type Apply } from './option-readers.ts';
import { parseEntrypoint, parseEnv, parseEnvFile, parseLabelFile, parsePair } from './parse-environment.ts';
import { HEALTH, parseNotify } from './parse-health.ts';
import { parseMount } from './parse-mount.ts';
import { parseVolume, parseVolumesFrom } from './parse-mounts.ts';
import * as security from './parse-security.ts';
import { parseSecret } from './parse-secret.ts';
import { parseTmpfs } from './parse-tmpfs.ts';
import { CONFINEMENT, NETWORK, RESOURCES } from './parse-confinement.ts';
import * as values from './parse-values.ts';

/** Applies one use of an option to the draft. */
export function applyOption(draft: Draft, option: string, value: string): void {
  const apply = HANDLERS[option];
  if (apply === undefined) {
    draft.problems.push(problem('option-unknown', `--${option}: not an option of berth run`, { key: `--${option}` }));
    return;
  }
  if (value.includes('\0')) return bad(draft, option, value, 'it holds a NUL byte');
  if (SPLIT.has(option) && value.includes(',')) {
    for (const word of value.split(',')) apply(draft, word, option);
  } else apply(draft, value, option);
}

/** Whether `berth run` understands an option; a test compares with the option table. */
export function hasHandler(option: string): boolean {
  return option in HANDLERS;
}

/** Options whose value is a comma-separated list. */
const SPLIT = new Set(
  'cap-add cap-drop group-add publish expose dns dns-option dns-search add-host network-alias ulimit uidmap gidmap sysctl device hostuser'.split(
    ' ',
  ),
);

const WHAT_RUNS: Readonly<Record<string, Apply>> = {
  name: (draft, value) => (draft.request.name = value),
  pod: (draft, value) => (draft.request.pod = value),
  rm: flag('remove'),
  rmi: flag('removeImage'),
  timeout: (draft, value, option) =>
    take(draft, option, value, values.readInteger(value, 0, 4294967295), 'not a number of seconds', read => {
      draft.request.timeout = read;
    }),
  replace: flag('replace'),
  detach: flag('detach'),
  interactive: flag('interactive'),
  tty: flag('tty'),
  entrypoint: parseEntrypoint,
  env: parseEnv,
  'env-file': parseEnvFile,
  'env-merge': (draft, value, option) =>
    value.includes('=')
      ? draft.request.environmentMerge.push(value)
      : bad(draft, option, value, 'the value is missing', 'write NAME=VALUE'),
  'env-host': flag('environmentHost'),
  unsetenv: (draft, value) => draft.request.unsetEnvironment.push(value),
  'unsetenv-all': (draft, value) => value === 'true' && draft.request.unsetEnvironment.push('*'),
  'http-proxy': flag('httpProxy'),
  workdir: (draft, value, option) =>
    take(draft, option, value, values.cleanPath(value), 'not an absolute path', read => (draft.request.workdir = read)),
  passwd: flag('passwd'),
  'passwd-entry': (draft, value) => (draft.request.passwdEntry = value),
  'group-entry': (draft, value) => (draft.request.groupEntry = value),
  hostuser: (draft, value) => draft.request.hostUsers.push(value),
  user: (draft, value, option) => {
    const [user, group] = values.cut(value, ':');
    // `:GROUP` keeps the image's user.
    if (user !== '' && !security.checkUser(draft, option, value, user)) return;
    if (group !== undefined && group !== '' && !security.checkUser(draft, option, value, group)) return;
    draft.request.user = value;
  },
  'group-add': (draft, value, option) => {
    if (security.checkUser(draft, option, value, value)) draft.request.groups.push(value);
  },
  umask: (draft, value, option) =>
    take(
      draft,
      option,
      value,
      values.readOctal(value, 0o777),
      'not an octal mask such as 0022',
      read => (draft.request.umask = read),
    ),
  tz: (draft, value, option) => {
    const right =
      value !== '' && !value.startsWith('/') && !value.split('/').includes('..') && /^[A-Za-z0-9_+/-]+$/.test(value);
    if (right) draft.request.timezone = value;
    else bad(draft, option, value, 'not a time zone', 'use a name such as Europe/Berlin, or local');
  },
  init: flag('init'),
  systemd: choice('systemd', { true: 'auto', false: 'never', always: 'always' }),
  'stop-signal': (draft, value, option) =>
    take(
      draft,
      option,
      value,
      values.readSignal(value),
      'not a signal such as SIGTERM or 15',
      read => (draft.request.stopSignal = read),
    ),
  'stop-timeout': (draft, value, option) =>
    take(draft, option, value, values.readInteger(value, -1, 4294967295), 'not a number of seconds', read => {
      draft.request.stopTimeout = read < 0 ? 4294967295 : read;
    }),
  restart: (draft, value, option) =>
    take(
      draft,
      option,
      value,
      values.readRestart(value),
      'not a policy: no, always, unless-stopped, on-failure or on-failure:N',
      read => (draft.request.restart = read),
    ),
  cidfile: path('cidfile'),
  pidfile: path('pidfile'),
  sdnotify: parseNotify,
  'log-driver': choice('logDriver', {
    journald: 'journald',
    passthrough: 'passthrough',
    'passthrough-tty': 'passthrough-tty',
    none: 'none',
    'k8s-file': 'k8s-file',
    'json-file': 'json-file',
    '': 'journald',
  }),
  'log-opt': (draft, value, option) =>
    value.indexOf('=') > 0 ? draft.request.logOptions.push(value) : bad(draft, option, value, 'write NAME=VALUE'),
  label: (draft, value, option) => parsePair(draft, option, value, draft.request.labels),
  'label-file': parseLabelFile,
  annotation: (draft, value, option) =>
    value.includes('=')
      ? parsePair(draft, option, value, draft.request.annotations)
      : bad(draft, option, value, 'the value is missing', 'write NAME=VALUE'),
};

const FILES: Readonly<Record<string, Apply>> = {
  rootfs: (draft, value) => (draft.isRootfs = value === 'true'),
  'read-only': flag('readOnly'),
  'read-only-tmpfs': flag('readOnlyTmpfs'),
  volume: parseVolume,
  'volumes-from': parseVolumesFrom,
  mount: parseMount,
  tmpfs: parseTmpfs,
  'image-volume': choice('imageVolumes', {
    anonymous: 'anonymous',
    bind: 'anonymous',
    tmpfs: 'tmpfs',
    ignore: 'ignore',
    '': 'anonymous',
  }),
  'shm-size': (draft, value, option) =>
    take(draft, option, value, values.readSize(value), NOT_SIZE, read => (draft.request.shmSize = read)),
  secret: parseSecret,
  device: security.parseDevice,
  'hosts-file': (draft, value, option) =>
    ['', 'image', 'none'].includes(value) ? (draft.request.hostsFile = value) : path('hostsFile')(draft, value, option),
  'no-hosts': flag('noHosts'),
  'no-hostname': flag('noHostname'),
};

const REST: Readonly<Record<string, Apply>> = {
  ...HEALTH,
  pull: choice('pull', {
    missing: 'missing',
    always: 'always',
    never: 'never',
    newer: 'newer',
    ifmissing: 'missing',
    ifnotpresent: 'missing',
    ifnewer: 'newer',
    true: 'always',
    false: 'missing',
    '': 'missing',
  }),
};

/** Understood elsewhere (terminal, pull) or without an effect here. */
const ELSEWHERE =
  'pod-id-file detach-keys attach sig-proxy quiet disable-content-trust arch os variant platform authfile tls-verify retry retry-delay';

const HANDLERS: Readonly<Record<string, Apply>> = {
  ...WHAT_RUNS,
  ...FILES,
  ...CONFINEMENT,
  ...RESOURCES,
  ...NETWORK,
  ...REST,
  ...Object.fromEntries(ELSEWHERE.split(' ').map(name => [name, nothing])),
};
