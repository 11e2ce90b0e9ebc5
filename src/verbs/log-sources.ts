import type { Host } from '../host/host.ts';
import { findContainer, isName, listContainers, requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { isFileDriver } from '../run/log-file.ts';
import { madeAt, type ContainerState } from '../run/state.ts';
import { inNamespaces } from '../systemd/journal-namespace.ts';
import { logNamespace } from './unit-end.ts';

/** Where the lines of one container are. */
export type LogSource = JournalSource | FileSource;

export interface JournalSource {
  readonly kind: 'journal';
  readonly name: string;
  readonly unit: string;
  readonly manager: 'system' | 'user';
  /** LogNamespace= of the unit. */
  readonly namespace: string;
  /** Words for journalctl(1). */
  readonly match: readonly string[];
  /** Seconds since the epoch; 0: everything. */
  readonly since: number;
}

export interface FileSource {
  readonly kind: 'file';
  readonly name: string;
  readonly id: string;
  readonly image: string;
  readonly path: string;
  /** Empty when it runs in none. */
  readonly unit: string;
  readonly manager: 'system' | 'user' | '';
}

/**
 * The lines of this start only, as the peer shows them: earlier starts of the unit are journalctl's to show. The container of a unit that
 * has ended is gone; what it said is not.
 */
export function logSource(host: Host, word: string): LogSource {
  const present = findContainer(host, word) !== undefined || isUnitOfContainer(host, word);
  if (!present) {
    const unit = word.endsWith('.service') ? word : `${word}.service`;
    const source = journalSource(host, word, { unit, manager: ownManager(host), cgroup: '' }, 0);
    const argv = ['journalctl', '--quiet', '--no-pager', '--lines=1', '--output=cat', ...journalMatches([source])];
    const { stdout } = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
    if (stdout !== '' && isName(word)) return source;
  }
  const { state } = requireContainer(host, word);
  const { name, id, image, logDriver, logPath, unit, manager } = state;
  if (isFileDriver(logDriver) && logPath !== undefined)
    return { kind: 'file', name, id, image, path: logPath, unit, manager };
  if (!logDriver.startsWith('journald') && !logDriver.startsWith('passthrough')) {
    throw new Failure(125, `${word}: its log driver ${logDriver} keeps nothing that could be read`);
  }
  if (unit === '' || unit.endsWith('.scope')) {
    throw new Failure(125, `${word}: runs in the foreground and writes to its terminal`);
  }
  return journalSource(host, name, state, madeAt(state));
}

/** Its place as the container's state has it; an empty cgroup is not known. */
export function journalSource(
  host: Host,
  name: string,
  { unit, manager: known, cgroup }: Pick<ContainerState, 'unit' | 'manager' | 'cgroup'>,
  since: number,
): JournalSource {
  const manager = known === '' ? ownManager(host) : known;
  const namespace = logNamespace(host, { unit, manager });
  const own = manager === 'user' ? [`_SYSTEMD_USER_UNIT=${unit}`, `_UID=${host.euid}`] : [`_SYSTEMD_UNIT=${unit}`];
  const groups = cgroup === '' ? payloadGroups(host, unit, namespace) : [cgroup];
  return { kind: 'journal', name, unit, manager, namespace, match: unitMatches(own, groups), since };
}

function ownManager(host: Host): 'system' | 'user' {
  return host.euid === 0 ? 'system' : 'user';
}

function isUnitOfContainer(host: Host, word: string): boolean {
  const unit = word.endsWith('.service') ? word : `${word}.service`;
  return listContainers(host).some(one => one.state?.unit === unit);
}

/**
 * Fields that the journal itself makes of the sender's group: the manager's own lines about the unit do not match. What the payload says by
 * syslog(3) comes from its own group; pasta, beside it, says such lines, too. Our own events come over the journal's native socket.
 */
function unitMatches(own: readonly string[], groups: readonly string[]): readonly string[] {
  return [
    ...own,
    '_TRANSPORT=stdout',
    ...groups.flatMap(path => ['+', ...own, '_TRANSPORT=syslog', `_SYSTEMD_CGROUP=${path}`]),
  ];
}

/** Where payloads of the unit have been, as far as the journal has lines of it. */
function payloadGroups(host: Host, unit: string, namespace: string): string[] {
  const argv = ['journalctl', '--quiet', ...inNamespaces([namespace]), '--field=_SYSTEMD_CGROUP'];
  const { stdout } = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  return stdout.split('\n').filter(path => path.endsWith(`/${unit}/payload`));
}

/** Words for journalctl(1) that match the lines of all of them. */
export function journalMatches(sources: readonly JournalSource[]): string[] {
  const words = sources.flatMap(({ match }, index) => (index === 0 ? match : ['+', ...match]));
  return [...inNamespaces(sources.map(({ namespace }) => namespace)), ...words];
}

/** Lines of a unit of the system: an account may not be allowed to read them. */
export function isSystems(source: LogSource): boolean {
  return source.kind === 'journal' && source.manager === 'system';
}

/** The first of the starts, for `--since`; 0: everything. */
export function oldestStart(sources: readonly JournalSource[]): number {
  return Math.min(...sources.map(({ since }) => since));
}
