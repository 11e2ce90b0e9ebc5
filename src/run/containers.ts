import { HostError, type Host } from '../host/host.ts';
import { Failure } from './failure.ts';
import { runtimeDirectories } from './directories.ts';
import { STATE_VERSION, type ContainerState } from './state.ts';

/** A container's directory below a runtime directory. `state` is absent when the start did not come that far. */
export interface Container {
  readonly name: string;
  readonly bundle: string;
  readonly state?: ContainerState;
}

/** All containers of this account, by name. A bundle that another version wrote and we cannot read has no state. */
export function listContainers(host: Host): Container[] {
  const found: Container[] = [];
  for (const directory of runtimeDirectories(host)) {
    for (const name of namesIn(host, `${directory}/containers`)) {
      found.push(readContainer(host, `${directory}/containers/${name}`, name));
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Finds by name alone: `db` is never a container whose id begins with these digits. What a unit or a start means by a name. */
export function findNamed(host: Host, name: string): Container | undefined {
  if (!isName(name)) return undefined;
  for (const directory of runtimeDirectories(host)) {
    const bundle = `${directory}/containers/${name}`;
    if (host.lstat(bundle)?.kind === 'directory') return readContainer(host, bundle, name);
  }
  return undefined;
}

/** Finds by name, by full id, or by an unambiguous beginning of an id (at least two digits), as Podman does. */
export function findContainer(host: Host, word: string): Container | undefined {
  const named = findNamed(host, word);
  if (named !== undefined) return named;
  if (!/^[0-9a-f]{2,64}$/.test(word)) return undefined;
  const matches = listContainers(host).filter(one => one.state?.id.startsWith(word));
  if (matches.length > 1) throw new Failure(125, `${word}: more than one container id begins so`);
  return matches[0];
}

/**
 * As findContainer, and by the name of its unit, as systemctl and journalctl take it: `berth exec web` reaches the container of web.service.
 * A Failure (125) when there is none, or when its start has not finished. (`rm` looks for the name alone: what ExecStopPost= removes must
 * never be another unit's.)
 */
export function requireContainer(host: Host, word: string): Container & { readonly state: ContainerState } {
  const found = findContainer(host, word) ?? ofUnit(host, word.endsWith('.service') ? word : `${word}.service`);
  if (found === undefined) throw new Failure(125, `${word}: no such container`);
  if (found.state === undefined) throw new Failure(125, `${word}: this container has not finished to start`);
  return { ...found, state: found.state };
}

function ofUnit(host: Host, unit: string): Container | undefined {
  return listContainers(host).find(one => one.state?.unit === unit);
}

/** The rule of container names (T20): no path can be built from anything else. */
export function isName(word: string): boolean {
  return word.length <= 255 && /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(word);
}

/** The payload is the same process as when it was started, and has not ended. */
export function isRunning(host: Host, state: ContainerState): boolean {
  const pidfd = openPayload(host, state);
  if (pidfd === undefined) return false;
  host.close(pidfd);
  return true;
}

/** As isRunning, by one look at /proc (proc(5), fields 3 and 22 of stat): for lists, and where there are no pidfds. */
export function isAlive(host: Host, state: { readonly pid: number; readonly startTime: string }): boolean {
  if (state.pid <= 0) return false;
  const fields = statFields(host, state.pid);
  return fields[19] === state.startTime && fields[0] !== 'Z' && fields[0] !== 'X';
}

/** What follows the name of the program; empty when the process is gone. */
function statFields(host: Host, pid: number): string[] {
  try {
    const line = host.readFileIfExists(`/proc/${pid}/stat`) ?? '';
    return line.slice(line.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    // ESRCH: it ended between open and read.
    if (error instanceof HostError) return [];
    throw error;
  }
}

/**
 * A descriptor of the payload, or undefined when it is gone. Opened first and then compared, so that no other process is meant; one that
 * has ended but waits for its parent (systemd, in the middle of ExecStop=) still has its number, and its pidfd is readable.
 */
export function openPayload(
  host: Host,
  state: { readonly pid: number; readonly startTime: string },
): number | undefined {
  if (state.pid <= 0) return undefined;
  const pidfd = host.openProcess(state.pid);
  if (pidfd === undefined) return undefined;
  if (host.startTime(state.pid) === state.startTime && host.poll([pidfd], 0).length === 0) return pidfd;
  host.close(pidfd);
  return undefined;
}

export function writeState(host: Host, bundle: string, state: ContainerState): void {
  const path = `${bundle}/state.json`;
  host.writeFile(`${path}.new`, JSON.stringify(state), 0o600);
  host.rename(`${path}.new`, path);
}

export function readContainer(host: Host, bundle: string, name: string): Container {
  const text = host.readFileIfExists(`${bundle}/state.json`);
  const state = text === undefined ? undefined : parseState(host, text);
  return state === undefined ? { name, bundle } : { name, bundle, state };
}

/**
 * undefined for a truncated file; a newer format is refused by name while its payload runs (pid and start time are what no format
 * changes). What it left behind is removed like half a start, so that a unit starts again after a downgrade.
 */
function parseState(host: Host, text: string): ContainerState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const state = value as ContainerState;
  if (typeof state !== 'object' || value === null || typeof state.version !== 'number') return undefined;
  if (state.version > STATE_VERSION) {
    if (Number.isInteger(state.pid) && typeof state.startTime === 'string' && !isRunning(host, state)) return undefined;
    const format = `state version ${Number(state.version)}`;
    throw new Failure(
      125,
      `${String(state.name)}: started by a newer berth (${format}); stop its unit with systemctl, or install that berth again`,
    );
  }
  return state;
}

function namesIn(host: Host, directory: string): string[] {
  if (host.stat(directory) === undefined) return [];
  return host
    .list(directory)
    .filter(entry => entry.kind === 'directory' && isName(entry.name))
    .map(entry => entry.name);
}
