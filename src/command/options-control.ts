import { flag, hosted, integer, list, native, text } from './rows.ts';
import { MANAGER } from './options-manager.ts';
import { LATEST } from './options-shared.ts';
import type { OptionRow, VerbRow } from './types.ts';

const QUIET = flag('quiet', 'print no names', { short: 'q' });
const NOW = flag('now', 'also start or stop it');
const SOME = { least: 1 };

/** Jobs: one native program, src/verbs/start.ts. */
const JOB = { program: 'start', least: 1 } as const;
/** --all and --filter name containers, too. */
const CONTAINER_JOB = { ...JOB, least: 0 } as const;
const FILTER = list('filter', 'NAME=VALUE', 'the containers that match', { short: 'f' });

const ATTACHED: readonly OptionRow[] = [
  text('detach-keys', 'KEYS', 'with --attach: key sequence that ends it (default ctrl-p,ctrl-q)'),
  flag('interactive', 'as --attach, and type into it', { short: 'i' }),
  flag('sig-proxy', 'with --attach: pass signals on to the payload (default true)'),
];

export const START: VerbRow = native(
  'start',
  'NAME...',
  'start units and wait',
  [
    flag('all', 'all containers that do not run'),
    flag('attach', 'follow what the container writes, until it ends', { short: 'a' }),
    FILTER,
    LATEST,
    QUIET,
    ...ATTACHED,
    ...MANAGER,
  ],
  CONTAINER_JOB,
);
/** `berth start --attach`, for one container that is there. */
export const START_ATTACHED: VerbRow = hosted('start-attached', 'NAME', 'start and attach', ATTACHED, {
  hidden: true,
  least: 1,
  most: 1,
});
/** `berth stop` of a name that is no running container; see src/verbs/stop.ts. */
export const UNIT_STOP: VerbRow = native('unit stop', 'NAME...', 'stop units and wait', [QUIET, ...MANAGER], {
  hidden: true,
  ...JOB,
});
export const RESTART: VerbRow = native(
  'restart',
  'NAME...',
  'restart units and wait',
  [
    flag('all', 'all containers', { short: 'a' }),
    FILTER,
    LATEST,
    QUIET,
    flag('running', 'all containers that run'),
    integer('time', 'SECONDS', 'time between stop signal and kill', { short: 't', aliases: ['timeout'] }),
    ...MANAGER,
  ],
  CONTAINER_JOB,
);
export const RELOAD: VerbRow = native(
  'reload',
  'NAME...',
  'tell units to read their configuration anew',
  [QUIET, ...MANAGER],
  JOB,
);
/**
 * What the native program leaves: `VERB BEGAN WORD…`. BEGAN is CLOCK_MONOTONIC in microseconds; a word is a name, or `UNIT=JOB=RESULT` for a job that
 * the manager took, RESULT empty while that is not known.
 */
export const UNIT_JOB: VerbRow = hosted('unit-job', 'VERB BEGAN WORD...', 'follow jobs', [QUIET, ...MANAGER], {
  hidden: true,
  least: 3,
});
export const ENABLE: VerbRow = hosted('enable', 'NAME...', 'start units at boot', [NOW, ...MANAGER], SOME);
export const DISABLE: VerbRow = hosted('disable', 'NAME...', 'do not start units at boot', [NOW, ...MANAGER], SOME);
export const MASK: VerbRow = hosted('mask', 'NAME...', 'make it impossible to start units', [NOW, ...MANAGER], SOME);
export const UNMASK: VerbRow = hosted('unmask', 'NAME...', 'undo mask', [...MANAGER], SOME);
export const STATUS: VerbRow = hosted(
  'status',
  'NAME...',
  'show the state of units',
  [
    text('format', 'FORMAT', 'json'),
    integer('lines', 'N', 'lines of the journal (default 5)', { short: 'n' }),
    ...MANAGER,
  ],
  SOME,
);
export const WHY: VerbRow = hosted('why', 'NAME', 'explain why a unit or container is not up', [...MANAGER], {
  least: 1,
  most: 1,
});
export const DAEMON_RELOAD: VerbRow = hosted(
  'daemon-reload',
  '',
  'let the manager read unit files anew',
  [...MANAGER],
  { most: 0 },
);

const FORCE = flag('force', 'also touch files that were changed or placed by hand', { short: 'f' });

export const UP: VerbRow = hosted('up', '[FILE|DIR...]', 'install unit files and bring their units up', [
  FORCE,
  flag('no-start', 'install only'),
  ...MANAGER,
]);
export const PLAN: VerbRow = hosted('plan', '[FILE|DIR...]', 'show what up would do', [
  FORCE,
  text('format', 'FORMAT', 'json'),
  ...MANAGER,
]);
export const DOWN: VerbRow = hosted('down', '[FILE|DIR...]', 'stop and remove what up installed', [FORCE, ...MANAGER]);
