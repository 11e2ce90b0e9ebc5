import { HostError, type Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import type { ContainerState } from '../run/state.ts';
import { readExit } from '../run/exit-record.ts';
import { unitPath } from '../systemd/unit-path.ts';
import { answerTo, connectManager, post, type Bus } from '../systemd/wire.ts';

/** How a container ended, as far as anybody knows, and how often its unit was restarted. */
export interface UnitEnd {
  /** As podman-wait(1): 128 + N for signal N; undefined: it runs, or systemd knows no more of it. */
  readonly status?: number;
  readonly outOfMemory: boolean;
  /** Seconds since the epoch; 0: not ended, or not known. */
  readonly finished: number;
  readonly restarts: number;
  /** The payload is the unit's main process: its end is known, or will be. */
  readonly isMain: boolean;
  /** It was noted by who cleaned up: nobody will know more. */
  readonly isNoted: boolean;
  /** Restart=; empty: not known. */
  readonly restart: string;
}

/** podman-inspect(1), in `HostConfig`. */
export interface RestartPolicy {
  readonly Name: string;
  readonly MaximumRetryCount: number;
}

const UNKNOWN: UnitEnd = { outOfMemory: false, finished: 0, restarts: 0, isMain: false, isNoted: false, restart: '' };
/** waitid(2). */
const CLD_EXITED = 1;

/** What was kept of it, or what the manager of its unit knows (man 5 org.freedesktop.systemd1, service properties). */
export function unitEnd(host: Host, state: ContainerState, bundle: string): UnitEnd {
  const kept = readExit(host, bundle);
  const known = propertiesOf(host, state, 'Service', WANTED);
  const number = (name: string): number => Number(known?.get(name) ?? 0);
  const about = { restarts: number('NRestarts'), restart: textOf(known?.get('Restart')) };
  // The unit may have started another since.
  const isMain = known !== undefined && number('ExecMainPID') === state.pid;
  if (kept !== undefined) return { ...UNKNOWN, ...(isMain ? about : {}), ...kept, isNoted: true };
  if (!isMain || number('ExecMainCode') === 0) return { ...UNKNOWN, ...about, isMain };
  const status = number('ExecMainStatus');
  return {
    status: number('ExecMainCode') === CLD_EXITED ? status : 128 + status,
    outOfMemory: known.get('Result') === 'oom-kill',
    finished: number('ExecMainExitTimestamp') / 1e6,
    ...about,
    isMain,
    isNoted: false,
  };
}

/** As podman-run(1), --restart: what was asked for, or Restart= of the unit. */
export function restartPolicy({ asked }: ContainerState, { restart: ofUnit }: UnitEnd): RestartPolicy {
  const { restart } = asked ?? {};
  if (restart === undefined) return { Name: ofUnit === '' ? 'no' : ofUnit, MaximumRetryCount: 0 };
  const name = restart.after === 'failure' ? 'on-failure' : restart.unlessStopped ? 'unless-stopped' : 'always';
  return { Name: name, MaximumRetryCount: restart.most ?? 0 };
}

/** A target brings up the unit of this container, or one that brings it up in turn, such as a pod's. */
export function isWanted(host: Host, { manager, unit }: ContainerState): boolean {
  if (!unit.endsWith('.service')) return false;
  const units = new Set([unit]);
  for (const one of units) {
    if (one.endsWith('.target')) return true;
    const known = propertiesOf(host, { manager, unit: one }, 'Unit', ['WantedBy', 'RequiredBy']);
    for (const by of known?.values() ?? []) if (Array.isArray(by)) for (const name of by) units.add(String(name));
  }
  return false;
}

/** LogNamespace= of its unit, which only the system's can have. */
export function logNamespace(host: Host, { manager, unit }: Pick<ContainerState, 'manager' | 'unit'>): string {
  if (manager !== 'system' || !unit.endsWith('.service')) return '';
  const known = propertiesOf(host, { manager, unit }, 'Service', ['LogNamespace']);
  if (known !== undefined) return textOf(known.get('LogNamespace'));
  // Node's Host has no sockets.
  const argv = ['systemctl', '--system', 'show', '--property=LogNamespace', '--value', '--', unit];
  const { stdout } = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  return stdout.trim();
}

function propertiesOf(
  host: Host,
  { manager, unit }: Pick<ContainerState, 'manager' | 'unit'>,
  kind: 'Service' | 'Unit',
  wanted: readonly string[],
): ReadonlyMap<string, unknown> | undefined {
  if (manager === '' || (kind === 'Service' && !unit.endsWith('.service'))) return undefined;
  let fd: number | undefined;
  try {
    const bus = connectManager(host, manager);
    fd = bus.fd;
    const asked = wanted.map(name => ({ name, serial: postGet(bus, unitPath(unit), kind, name) }));
    return new Map(asked.map(({ name, serial }) => [name, (answerTo(bus, serial)[0] as [string, unknown])[1]]));
  } catch (error) {
    if (error instanceof Failure || error instanceof HostError) return undefined;
    throw error;
  } finally {
    if (fd !== undefined) host.close(fd);
  }
}

const WANTED = [
  'ExecMainPID',
  'ExecMainCode',
  'ExecMainStatus',
  'ExecMainExitTimestamp',
  'Result',
  'NRestarts',
  'Restart',
];

function postGet(bus: Bus, path: string, kind: string, name: string): number {
  const values = [`org.freedesktop.systemd1.${kind}`, name];
  return post(bus, { path, interface: 'org.freedesktop.DBus.Properties', member: 'Get', signature: 'ss', values });
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
