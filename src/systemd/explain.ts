import { signalName } from './signal-name.ts';
import { whoFailed, type UnitCommand } from './unit-commands.ts';
import type { UnitState } from './units.ts';

/**
 * Why a unit is not up, in a few words without a full stop; from what its manager says of it (man 5 systemd.service, "Result";
 * man 5 systemd.exec, "Process exit codes"). `asked`: when a start was asked for, CLOCK_MONOTONIC in microseconds. A unit that did
 * not even begin to start was refused: systemd then keeps the result of the start before.
 */
export function reasonOf(state: UnitState, job: string, asked = 0): string {
  if (state.loadState === 'not-found') return 'there is no such unit';
  if (state.loadState === 'masked') return 'it is masked';
  if (state.loadError !== '') return `its unit file is not valid: ${state.loadError.replace(/\.$/, '')}`;
  if (job === 'dependency') return 'a unit that it requires failed';
  if (job === 'canceled') return 'another job took the place of this one';
  if (job === 'timeout') return 'the job ran out of time in the queue (JobTimeoutSec=)';
  if (!state.assertResult) return `an assertion of it does not hold${listed(state.unmet)}`;
  if (job === 'failed' && state.activeState === 'active' && !WELL.has(state.reloadResult)) return reloadReason(state);
  if (job === 'failed' && state.moved < asked && state.result !== 'resources') return TOO_OFTEN;
  return RESULTS[state.result]?.(state) ?? (WELL.has(state.result) ? jobReason(job) : `its result is ${state.result}`);
}

/** It failed, or did so and will be started again (Restart=): until its next start systemd keeps the result. */
export function hasFailed({ activeState, result }: UnitState): boolean {
  const between = activeState === 'activating' || activeState === 'deactivating';
  return activeState === 'failed' || (between && !WELL.has(result));
}

/** It has ended, well or not, and Restart= starts it again after RestartSec=. */
export function waitsForRestart({ subState }: UnitState): boolean {
  return subState.startsWith('auto-restart');
}

const WELL: ReadonlySet<string> = new Set(['', 'success']);

const listed = (lines: readonly string[]): string => (lines.length === 0 ? '' : `: ${lines.join(', ')}`);

/** Of a unit that is up all the same. */
function reloadReason(state: UnitState): string {
  const reload = { ...state, result: state.reloadResult, mainCode: 0 };
  const commands = state.commands.filter(one => one.key === 'ExecReload');
  const reason =
    state.reloadResult === 'timeout' ? 'it took longer than TimeoutStartSec=' : endOf({ ...reload, commands });
  return `its reload failed: ${reason}; it runs as before`;
}

function jobReason(job: string): string {
  return JOBS[job] ?? `the job ended as ${job}`;
}

/** Results of jobs that units without a failure have. */
const JOBS: Readonly<Record<string, string>> = {
  invalid: 'its state does not allow this',
  unsupported: 'units of this type do not exist on this system',
  collected: 'nothing needed it any more',
  once: 'it has run once already, and can do so once in a boot',
  frozen: 'it is frozen',
};

const TOO_OFTEN = 'it was started too often (StartLimitBurst=); `systemctl reset-failed` allows the next start';

type Teller = (state: UnitState) => string;

const RESULTS: Readonly<Record<string, Teller>> = {
  'exit-code': endOf,
  signal: endOf,
  'core-dump': endOf,
  timeout: timeoutReason,
  watchdog: () => 'it did not send WATCHDOG=1 in time (WatchdogSec=)',
  'start-limit-hit': () => TOO_OFTEN,
  resources: () => 'a resource that systemd needs for it was not there',
  protocol: () => 'it ended before it said that it was ready',
  'oom-kill': outOfMemory,
  'exec-condition': () => 'an ExecCondition= of it does not hold',
};

function outOfMemory(state: UnitState): string {
  const most = state.memoryMost === undefined ? '' : ` (MemoryMax=${state.memoryMost})`;
  const end = state.mainCode === 0 ? '' : `; ${mainEnd(state)}`;
  return `out of memory: the kernel killed a process of it${most}${end}`;
}

/** How the command or the main process ended that failed the unit. */
function endOf(state: UnitState): string {
  const who = whoFailed(state);
  if (who === undefined) return ENDS[state.result] ?? `its result is ${state.result}`;
  const status = who === 'main' ? state.mainStatus : who.status;
  return `${who === 'main' ? 'its main process' : commandText(who)} ${endWords(state.result, status, who === 'main')}`;
}

/** Whatever the unit's result is. */
export function mainEnd({ mainCode, mainStatus }: Pick<UnitState, 'mainCode' | 'mainStatus'>): string {
  return `its main process ${endWords(mainCode === 1 ? 'exit-code' : 'signal', mainStatus, true)}`;
}

/** Where systemd has forgotten whose it was: its manager was reloaded since. */
const ENDS: Readonly<Record<string, string>> = {
  'exit-code': 'one of its commands exited with a failure',
  signal: 'one of its commands was killed by a signal',
  'core-dump': 'one of its commands dumped core',
};

function endWords(result: string, status: number, isMain: boolean): string {
  if (result === 'signal') return `was killed by signal ${signalWords(status)}`;
  if (result === 'core-dump') return `dumped core on signal ${signalWords(status)}`;
  return `exited with status ${status}${meaning(status, isMain)}`;
}

const WORDS_SHOWN = 80;

function commandText({ key, words }: UnitCommand): string {
  const text = words.join(' ');
  return `its ${key}= (${text.length > WORDS_SHOWN ? `${text.slice(0, WORDS_SHOWN)}...` : text})`;
}

/** RuntimeMaxSec= is the only limit of what is up; what was up and took too long was being stopped. */
function timeoutReason({ mainBegan, upFrom, upTo, runtimeMost }: UnitState): string {
  if (mainBegan === 0) return 'it took longer than its timeout (TimeoutStartSec= or TimeoutStopSec=)';
  if (upFrom < mainBegan || upTo < upFrom) return 'its start took longer than TimeoutStartSec=';
  const isDue = runtimeMost > 0 && upTo - upFrom >= runtimeMost;
  return isDue ? 'it ran as long as RuntimeMaxSec= allows' : 'its stop took longer than TimeoutStopSec=';
}

/** Statuses that mean the same for every unit of ours, and those of systemd.exec(5), "Process exit codes", for every unit. */
function meaning(status: number, isMain: boolean): string {
  const directive = DIRECTIVES[status];
  if (directive !== undefined) return `: as systemd has it when it cannot do what ${directive} wants`;
  const text = isMain ? STATUSES.get(status) : undefined;
  return text === undefined ? '' : `: ${text}`;
}

const DIRECTIVES: Readonly<Record<number, string>> = {
  200: 'WorkingDirectory=',
  203: 'Exec...=',
  208: 'StandardInput=',
  209: 'StandardOutput=',
  216: 'Group=',
  217: 'User=',
  218: 'CapabilityBoundingSet= or AmbientCapabilities=',
  222: 'StandardError=',
  224: 'PAMName=',
  225: 'PrivateNetwork= or NetworkNamespacePath=',
  226: 'its sandbox (ProtectSystem=, BindPaths= and others)',
  228: 'SystemCallFilter=',
  233: 'RuntimeDirectory=',
  238: 'StateDirectory=',
  239: 'CacheDirectory=',
  240: 'LogsDirectory=',
  241: 'ConfigurationDirectory=',
  243: 'LoadCredential= or SetCredential=',
};

const STATUSES: ReadonlyMap<number, string> = new Map([
  [78, 'its unit file has a mistake'],
  [125, 'berth could not start the container'],
  [126, 'the program of the container cannot be executed'],
  [127, 'the program of the container does not exist'],
  [137, 'SIGKILL'],
  [143, 'SIGTERM'],
]);

function signalWords(number: number): string {
  return `${number} (${signalName(number)})${number === SIGSYS ? FILTERED : ''}`;
}

const SIGSYS = 31;
/** The kernel's answer to a call that a filter forbids; what the start needs: quadlet/syscalls.ts. */
const FILTERED =
  ": SystemCallFilter= in [Service] must allow @system-service @mount @privileged, or the container's seccomp profile what the payload calls";
