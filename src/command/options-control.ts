import { flag, hosted, integer, text } from './rows.ts';
import { MANAGER } from './options-manager.ts';
import type { VerbRow } from './types.ts';

const QUIET = flag('quiet', 'print no names', { short: 'q' });
const NOW = flag('now', 'also start or stop it');
const SOME = { least: 1 };

export const START: VerbRow = hosted('start', 'NAME...', 'start units and wait', [QUIET, ...MANAGER], SOME);
/** `berth stop` of a name that is no running container; see src/verbs/stop.ts. */
export const UNIT_STOP: VerbRow = hosted('unit-stop', 'NAME...', 'stop units and wait', [QUIET, ...MANAGER], {
  hidden: true,
  ...SOME,
});
export const RESTART: VerbRow = hosted('restart', 'NAME...', 'restart units and wait', [QUIET, ...MANAGER], SOME);
export const RELOAD: VerbRow = hosted(
  'reload',
  'NAME...',
  'tell units to read their configuration anew',
  [QUIET, ...MANAGER],
  SOME,
);
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
export const WHY: VerbRow = hosted('why', 'NAME', 'explain why a unit is not up', [...MANAGER], { least: 1, most: 1 });
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
