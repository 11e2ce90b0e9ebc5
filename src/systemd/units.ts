import type { ManagerBus } from './bus.ts';
import { commandsOf, type UnitCommand } from './unit-commands.ts';

/** What the manager knows of a unit. Times in microseconds since the epoch, 0: never. */
export interface UnitState {
  readonly name: string;
  readonly description: string;
  /** `loaded`, `not-found`, `bad-setting`, `error`, `masked`. */
  readonly loadState: string;
  /** Why it could not be loaded; empty otherwise. */
  readonly loadError: string;
  readonly activeState: string;
  readonly subState: string;
  readonly unitFileState: string;
  readonly fragmentPath: string;
  /** The unit file of ours that it was made from; empty otherwise. */
  readonly sourcePath: string;
  readonly dropIns: readonly string[];
  /** Id of the job in the queue; 0: none. */
  readonly job: number;
  readonly needReload: boolean;
  readonly since: number;
  /** CLOCK_MONOTONIC in microseconds: when it last left `inactive` or came back to it. */
  readonly moved: number;
  readonly requires: readonly string[];
  readonly after: readonly string[];
  readonly partOf: readonly string[];
  readonly invocation: string;
  readonly conditionResult: boolean;
  readonly assertResult: boolean;
  /** Lines of Assert…= that did not hold when it was to be started last. */
  readonly unmet: readonly string[];
  readonly controlGroup: string;
  /** LogNamespace=; empty: the journal of all. */
  readonly logNamespace: string;
  /** Of services; defaults otherwise. */
  readonly result: string;
  readonly type: string;
  readonly remains: boolean;
  readonly mainPid: number;
  /** CLD_EXITED 1, CLD_KILLED 2, CLD_DUMPED 3; 0: none ended yet. */
  readonly mainCode: number;
  readonly mainStatus: number;
  /** CLOCK_MONOTONIC in microseconds: when the main process began and ended. */
  readonly mainBegan: number;
  readonly mainEnded: number;
  /** Statuses of the main process that are none of a failure, besides 0. */
  readonly goodStatuses: readonly number[];
  /** The same of when it became active last, and when it was no more. */
  readonly upFrom: number;
  readonly upTo: number;
  /** RuntimeMaxSec= in microseconds; 0: none. */
  readonly runtimeMost: number;
  readonly reloadResult: string;
  readonly commands: readonly UnitCommand[];
  readonly statusText: string;
  readonly restarts: number;
  readonly memory: number | undefined;
  /** MemoryMax= of the unit itself; that of its container is in its file. */
  readonly memoryMost: number | undefined;
  readonly tasks: number | undefined;
}

const UNIT = 'org.freedesktop.systemd1.Unit';
const PROPERTIES = 'org.freedesktop.DBus.Properties';
/** CGROUP_LIMIT_MAX: no value. */
const NONE = 0xffff_ffff_ffff_ffffn;

/** Loads the unit and reads it. A unit that does not exist has the load state `not-found`. Throws ControlError. */
export async function unitProperties(bus: ManagerBus, name: string): Promise<UnitState> {
  const [path] = await bus.call({ member: 'LoadUnit', signature: 's', body: [name] });
  const kind = name.slice(name.lastIndexOf('.') + 1);
  const typed = kind.charAt(0).toUpperCase() + kind.slice(1);
  const [unit, service] = await Promise.all([
    allProperties(bus, String(path), UNIT),
    allProperties(bus, String(path), `org.freedesktop.systemd1.${typed}`),
  ]);
  return readState(name, unit, service);
}

/** Names of the loaded units that match a pattern (glob(7)). Throws ControlError. */
export async function unitsLike(bus: ManagerBus, pattern: string): Promise<string[]> {
  const [units] = await bus.call({ member: 'ListUnitsByPatterns', signature: 'asas', body: [[], [pattern]] });
  return Array.isArray(units) ? units.map(one => String((one as unknown[])[0])).sort() : [];
}

type Values = Readonly<Record<string, unknown>>;

async function allProperties(bus: ManagerBus, path: string, name: string): Promise<Values> {
  const [values] = await bus.call({ path, interface: PROPERTIES, member: 'GetAll', signature: 's', body: [name] });
  return (values ?? {}) as Values;
}

function readState(name: string, unit: Values, service: Values): UnitState {
  const text = (key: string, from = unit): string => (typeof from[key] === 'string' ? from[key] : '');
  const words = (key: string): string[] => (Array.isArray(unit[key]) ? unit[key].map(String) : []);
  const count = (key: string, from = service): number => Number(from[key] ?? 0);
  const optional = (key: string): number | undefined =>
    service[key] === undefined || service[key] === NONE ? undefined : Number(service[key]);
  const [, loadError = ''] = Array.isArray(unit['LoadError']) ? unit['LoadError'].map(String) : [];
  return {
    name: text('Id') || name,
    description: text('Description'),
    loadState: text('LoadState'),
    loadError,
    activeState: text('ActiveState'),
    subState: text('SubState'),
    unitFileState: text('UnitFileState'),
    fragmentPath: text('FragmentPath'),
    sourcePath: text('SourcePath'),
    dropIns: words('DropInPaths'),
    job: Array.isArray(unit['Job']) ? Number(unit['Job'][0]) : 0,
    needReload: unit['NeedDaemonReload'] === true,
    since: count('StateChangeTimestamp', unit),
    moved: Math.max(...['InactiveExit', 'InactiveEnter'].map(key => count(`${key}TimestampMonotonic`, unit))),
    requires: ['Requires', 'Requisite', 'BindsTo'].flatMap(words),
    after: words('After'),
    partOf: words('PartOf'),
    invocation: hex(unit['InvocationID']),
    conditionResult: unit['ConditionResult'] !== false,
    assertResult: unit['AssertResult'] !== false,
    unmet: unmet(unit['Asserts']),
    controlGroup: text('ControlGroup', service),
    logNamespace: text('LogNamespace', service),
    result: text('Result', service),
    type: text('Type', service),
    remains: service['RemainAfterExit'] === true,
    mainPid: count('MainPID'),
    mainCode: count('ExecMainCode'),
    mainStatus: count('ExecMainStatus'),
    mainBegan: count('ExecMainStartTimestampMonotonic'),
    mainEnded: count('ExecMainExitTimestampMonotonic'),
    goodStatuses: goodStatuses(service['SuccessExitStatus']),
    upFrom: count('ActiveEnterTimestampMonotonic', unit),
    upTo: count('ActiveExitTimestampMonotonic', unit),
    runtimeMost: optional('RuntimeMaxUSec') ?? 0,
    reloadResult: text('ReloadResult', service),
    commands: commandsOf(service),
    statusText: text('StatusText', service),
    restarts: count('NRestarts'),
    memory: optional('MemoryCurrent'),
    memoryMost: optional('MemoryMax'),
    tasks: optional('TasksCurrent'),
  };
}

/** a(sbbsi): key, one of several that are enough, negated, value; below 0: did not hold, 0: the manager has forgotten it. */
function unmet(value: unknown): string[] {
  const lines = Array.isArray(value) ? (value as [string, boolean, boolean, string, number][]) : [];
  const enough = lines.some(([, trigger, , , held]) => trigger && held > 0);
  const broken = lines.filter(([, trigger, , , held]) => held <= 0 && !(trigger && enough));
  return broken.map(([key, , negated, text]) => `${key}=${negated ? '!' : ''}${text}`);
}

/** (aiai): statuses, signals. */
function goodStatuses(value: unknown): number[] {
  const [statuses] = Array.isArray(value) ? (value as unknown[]) : [];
  return Array.isArray(statuses) ? statuses.map(Number) : [];
}

function hex(bytes: unknown): string {
  return bytes instanceof Uint8Array || Array.isArray(bytes)
    ? Array.from(bytes as ArrayLike<number>, byte => byte.toString(16).padStart(2, '0')).join('')
    : '';
}
