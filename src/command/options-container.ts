import { MANAGER } from './options-manager.ts';
import { LATEST } from './options-shared.ts';
import { duration, flag, hosted, integer, list, native, text, words } from './rows.ts';
import type { OptionRow, VerbRow } from './types.ts';

const CIDFILE = list('cidfile', 'FILE', 'the container whose id is in this file');
const FILTER = list('filter', 'NAME=VALUE', 'only those that match', { short: 'f' });
const ALL = flag('all', 'all containers', { short: 'a' });
const FORMAT = text('format', 'FORMAT', 'json, or a template', { short: 'f' });
const TIME = integer('time', 'SECONDS', 'time between stop signal and kill', { short: 't', aliases: ['timeout'] });
const IGNORE = flag('ignore', 'a missing container is no error', { short: 'i' });
const TWO = { least: 2, stopAtOperand: true };

export const EXEC: VerbRow = native(
  'exec',
  'CONTAINER COMMAND [ARG...]',
  'run a command in a running container',
  [
    flag('detach', 'do not wait; no terminal', { short: 'd' }),
    text('detach-keys', 'KEYS', 'key sequence that detaches from a terminal'),
    list('env', 'NAME=VALUE', 'set an environment variable', { short: 'e' }),
    list('env-file', 'FILE', 'read environment variables from a file'),
    flag('interactive', 'keep standard input open', { short: 'i' }),
    flag('tty', 'give the command a terminal', { short: 't' }),
    text('user', 'USER[:GROUP]', 'user and group', { short: 'u' }),
    text('workdir', 'DIR', 'working directory', { short: 'w' }),
    flag('privileged', 'more capabilities than the payload', {
      refused: 'exec gets no more than run; use --privileged with run',
    }),
    list('preserve-fd', 'FD', 'pass this descriptor on', {
      refused: 'only standard input, output and error are passed',
    }),
    integer('preserve-fds', 'N', 'pass N descriptors on', {
      refused: 'only standard input, output and error are passed',
    }),
    LATEST,
  ],
  TWO,
);

export const STOP: VerbRow = native('stop', 'CONTAINER...', 'stop containers', [
  ALL,
  CIDFILE,
  FILTER,
  IGNORE,
  LATEST,
  TIME,
  ...MANAGER,
]);

export const KILL: VerbRow = native('kill', 'CONTAINER...', 'send a signal to the payload', [
  ALL,
  CIDFILE,
  LATEST,
  text('signal', 'SIGNAL', 'name or number (default KILL)', { short: 's' }),
]);

export const RM: VerbRow = native('rm', 'CONTAINER...', 'remove containers', [
  ALL,
  CIDFILE,
  flag('depend', 'and those that depend on it', { refused: 'remove the units that depend on it first' }),
  list('filter', 'NAME=VALUE', 'only those that match'),
  flag('force', 'stop it first', { short: 'f' }),
  IGNORE,
  LATEST,
  TIME,
  flag('volumes', 'remove its anonymous volumes', { short: 'v' }),
]);

export const WAIT: VerbRow = native(
  'wait',
  'CONTAINER...',
  'wait for containers to end and print their exit status',
  [
    words(
      'condition',
      'STATE',
      'what to wait for: stopped (default), exited, removing, created, running, paused, healthy, unhealthy',
    ),
    flag('ignore', 'a missing container is no error'),
    duration('interval', 'TIME', 'accepted for compatibility; an end is seen at once, states 20 times a second', {
      short: 'i',
    }),
    LATEST,
  ],
  { least: 1 },
);

export const CONTAINER_CLEANUP: VerbRow = native(
  'container cleanup',
  'CONTAINER...',
  'release what containers that have ended hold on the host',
  [ALL, flag('stopped-only', 'accepted for compatibility; a container that runs is refused anyway'), LATEST],
);

export const PS: VerbRow = native('ps', '', 'list containers', psOptions(), { most: 0 });

function psOptions(): readonly OptionRow[] {
  return [
    flag('all', 'also those that do not run', { short: 'a' }),
    flag('external', 'accepted for compatibility; there are none'),
    FILTER,
    text('format', 'FORMAT', 'json, or a template'),
    integer('last', 'N', 'the N made last', { short: 'n' }),
    LATEST,
    flag('no-trunc', 'do not shorten'),
    flag('noheading', 'no heading'),
    flag('ns', 'show the numbers of the namespaces'),
    flag('pod', 'show pods', { short: 'p' }),
    flag('quiet', 'only ids', { short: 'q' }),
    flag('size', 'show sizes', { short: 's' }),
    text('sort', 'FIELD', 'order by command, created, id, image, names, runningfor or status'),
    flag('sync', 'accepted for compatibility; nothing is cached'),
    integer('watch', 'SECONDS', 'repeat', { short: 'w', refused: 'use watch(1)' }),
  ];
}

export const INSPECT: VerbRow = native(
  'inspect',
  'NAME...',
  'show everything about a container, image, volume, network or pod',
  [
    FORMAT,
    LATEST,
    flag('size', 'add what a container wrote, and that with its image, in bytes', { short: 's' }),
    text('type', 'TYPE', 'container, image, volume, network, pod or all', { short: 't' }),
  ],
  { least: 1 },
);

const LOGS_OPTIONS: readonly OptionRow[] = [
  flag('color', 'colour names, warnings and errors (default on a terminal; NO_COLOR= is heeded)'),
  flag('follow', 'wait for more', { short: 'f' }),
  text('format', 'FORMAT', 'json: one object per line, as journalctl writes them'),
  text('grep', 'PATTERN', 'only lines that match this regular expression'),
  LATEST,
  flag('names', 'show the name before each line', { short: 'n' }),
  text('priority', 'LEVEL', 'only lines of this priority or above: err for standard error'),
  text('since', 'TIME', 'only lines since'),
  integer('tail', 'N', 'only the last N lines'),
  flag('timestamps', 'show the time before each line', { short: 't' }),
  text('until', 'TIME', 'only lines until'),
];
export const LOGS: VerbRow = native(
  'logs',
  'CONTAINER...',
  'show what containers wrote, merged in time order',
  LOGS_OPTIONS,
  {
    least: 1,
  },
);
/** What of `berth logs` is more than journalctl(1); see src/verbs/logs.ts. */
export const LOGS_MERGED: VerbRow = hosted('logs-merged', 'CONTAINER...', LOGS.help, LOGS_OPTIONS, {
  least: 1,
  hidden: true,
});

export const HEALTH: VerbRow = native(
  'health',
  'CONTAINER...',
  'show what the health checks of containers found',
  [text('format', 'FORMAT', 'json'), LATEST],
  { least: 1 },
);

export const HEALTHCHECK_RUN: VerbRow = native(
  'healthcheck run',
  'CONTAINER',
  "make a container's health check now",
  [],
  {
    least: 1,
    most: 1,
  },
);

export const VERSION: VerbRow = hosted('version', '', 'print versions', [FORMAT], { most: 0 });
export const INFO: VerbRow = hosted('info', '', 'print what Berth found on this machine', [FORMAT], { most: 0 });
