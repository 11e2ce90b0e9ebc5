import { decodeText } from '../base/text.ts';
import type { Host } from '../host/host.ts';
import { storeDirectory } from '../image/store.ts';
import { readWay } from '../run/again.ts';
import { isAlive, listContainers, type Container } from '../run/containers.ts';
import { readExit, type ExitRecord } from '../run/exit-record.ts';
import type { ContainerState } from '../run/state.ts';
import { mainEnd } from '../systemd/explain.ts';
import { readLines, saysOutOfMemory } from '../systemd/journal-lines.ts';
import { journalMatches, journalSource } from './log-sources.ts';
import type { Realm } from './scope.ts';
import { agoOf } from './show.ts';

const LINES = 10;
const BY_SIGKILL = 128 + 9;

/**
 * Of a container that was kept, whose transient unit systemd has forgotten (or that ran in the foreground): how it ended, what started it, its
 * last lines. Undefined: there is none.
 */
export function whyEnded(realm: Realm, unit: string): string[] | undefined {
  const { host } = realm;
  const found = containerOf(realm, unit);
  if (found === undefined || isAlive(host, found.state)) return undefined;
  const { state, bundle } = found;
  if (state.pid === 0) return [`container ${state.name} was created, and not started yet`];
  return [endOf(realm, state, readExit(host, bundle)), ...startedBy(host, state.name), ...said(host, state)];
}

/** What stands for the line of a unit file where there is none. */
export function startLine(realm: Realm, unit: string): string[] {
  const found = containerOf(realm, unit);
  return found?.state.unit === unit ? startedBy(realm.host, found.state.name) : [];
}

type Known = Container & { readonly state: ContainerState };

function containerOf({ host, scope }: Realm, unit: string): Known | undefined {
  return listContainers(host).find(
    (one): one is Known => one.state?.manager === scope.kind && unitOf(one.state) === unit,
  );
}

/** A start in the foreground has a scope; what starts it again is a service. */
const unitOf = ({ name, unit }: ContainerState): string => (unit.endsWith('.service') ? unit : `${name}.service`);

function endOf({ host, scope }: Realm, { name, unit, created }: ContainerState, exit: ExitRecord | undefined): string {
  if (exit === undefined) return `container ${name} has ended, and nobody saw how`;
  const { status, signal, finished } = exit;
  const ended = `container ${name} ended ${agoOf(host.now() - finished)}`;
  const lacked = exit.outOfMemory || (status === BY_SIGKILL && saysOutOfMemory(host, scope, unit, created));
  const reasons = lacked ? ['out of memory: the kernel killed a process of it'] : [];
  if (signal !== undefined) reasons.push(mainEnd({ mainCode: 2, mainStatus: signal }));
  else if (status !== undefined) reasons.push(mainEnd({ mainCode: 1, mainStatus: status }));
  return reasons.length === 0 ? ended : `${ended}: ${reasons.join('; ')}`;
}

function startedBy(host: Host, name: string): string[] {
  const line = readWay(host, storeDirectory(host), name)?.properties.find(([key]) => key === 'ExecStartEx')?.[2];
  if (line === undefined) return [];
  const [[, words]] = line as [[string, string[]]];
  return [`it was started by: ${['berth', ...words.slice(1)].map(word => quoted(decodeText(word))).join(' ')}`];
}

/** As a shell reads it. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** Of its last start. */
function said(host: Host, state: ContainerState): string[] {
  if (!state.unit.endsWith('.service')) return [];
  const match = journalMatches([journalSource(host, state.name, state, 0)]);
  return readLines(host, [`--since=@${state.created}`, `--lines=${LINES}`, ...match]).map(line => `  ${line}`);
}
