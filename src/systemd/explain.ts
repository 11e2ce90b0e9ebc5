import { signalName } from './signal-name.ts';
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
  if (!state.assertResult) return 'an assertion of it (Assert...=) does not hold';
  if (job === 'failed' && state.moved < asked) return TOO_OFTEN;
  return RESULTS[state.result]?.(state) ?? `its result is ${state.result === '' ? job : state.result}`;
}

const TOO_OFTEN = 'it was started too often (StartLimitBurst=); `systemctl reset-failed` allows the next start';

type Teller = (state: UnitState) => string;

const RESULTS: Readonly<Record<string, Teller>> = {
  'exit-code': state => `its main process exited with status ${state.mainStatus}${meaning(state.mainStatus)}`,
  signal: state => `its main process was killed by signal ${signalWords(state.mainStatus)}`,
  'core-dump': state => `its main process dumped core on signal ${signalWords(state.mainStatus)}`,
  timeout: () => 'it took longer than its timeout (TimeoutStartSec= or TimeoutStopSec=)',
  watchdog: () => 'it did not send WATCHDOG=1 in time (WatchdogSec=)',
  'start-limit-hit': () => TOO_OFTEN,
  resources: () => 'a resource that systemd needs for it was not there',
  protocol: () => 'it ended before it said that it was ready',
  'oom-kill': () => 'the kernel killed a process of it for want of memory',
  'exec-condition': () => 'an ExecCondition= of it does not hold',
};

/** Statuses that mean the same for every unit of ours. */
function meaning(status: number): string {
  const text = STATUSES.get(status);
  return text === undefined ? '' : `: ${text}`;
}

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
