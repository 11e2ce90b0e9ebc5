import { PS } from '../command/options-container.ts';
import { allValues, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { isRunning, listContainers } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { readHealth } from '../run/health-results.ts';
import type { ContainerState } from '../run/state.ts';
import { printable } from './command-line.ts';
import { verb } from './edge.ts';
import { renderRows } from './format.ts';
import { agoOf, ageOf, portsText } from './show.ts';

/** `berth ps`: the containers of this account, from their runtime directories; nothing is cached. */
export const main: (host: Host) => number = verb(PS, (host, command) => {
  const rows = sorted(command, selected(host, command));
  const format = lastValue(command, 'format') ?? '';
  const now = host.now();
  if (format === 'json') {
    host.write(
      1,
      `${JSON.stringify(
        rows.map(row => toJson(row, now)),
        undefined,
        2,
      )}\n`,
    );
  } else if (isSet(command, 'quiet')) {
    const full = isSet(command, 'no-trunc');
    host.write(1, rows.map(row => `${full ? row.state.id : row.state.id.slice(0, 12)}\n`).join(''));
  } else {
    const cells = rows.map(row => cellsOf(row, now, isSet(command, 'no-trunc')));
    const shown = format === '' || format === 'table' ? DEFAULT : format;
    host.write(1, renderRows(shown, HEADINGS, cells, !isSet(command, 'noheading')));
  }
  return 0;
});

interface Row {
  readonly state: ContainerState;
  readonly running: boolean;
  /** `healthy`, …; empty: no checks. */
  readonly health: string;
}

const DEFAULT = 'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.Created}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}';

const HEADINGS: Readonly<Record<string, string>> = {
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  ImageID: 'IMAGE ID',
  Command: 'COMMAND',
  Created: 'CREATED',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Status: 'STATUS',
  State: 'STATE',
  Ports: 'PORTS',
  Names: 'NAMES',
  Labels: 'LABELS',
  Pid: 'PID',
  Unit: 'UNIT',
};

function selected(host: Host, command: Command): Row[] {
  const filters = allValues(command, 'filter').map(parseFilter);
  const all =
    isSet(command, 'all') || lastValue(command, 'last') !== undefined || filters.some(one => one.name === 'status');
  const rows: Row[] = [];
  for (const { state } of listContainers(host)) {
    if (state === undefined) continue;
    const running = isRunning(host, state);
    const row = { state, running, health: running ? (readHealth(host, state)?.Status ?? '') : '' };
    if ((all || row.running) && filters.every(filter => matches(filter, row))) rows.push(row);
  }
  return rows;
}

interface Filter {
  readonly name: string;
  readonly value: string;
}

function parseFilter(text: string): Filter {
  const at = text.indexOf('=');
  const filter = { name: at < 0 ? text : text.slice(0, at), value: at < 0 ? '' : text.slice(at + 1) };
  if (!['name', 'id', 'status', 'health', 'label', 'ancestor', 'unit'].includes(filter.name) || at < 0) {
    throw new Failure(125, `--filter ${text}: use name=, id=, status=, health=, label=, ancestor= or unit=`);
  }
  return filter;
}

function matches({ name, value }: Filter, { state, running, health }: Row): boolean {
  switch (name) {
    case 'name':
      return state.name.includes(value);
    case 'id':
      return state.id.startsWith(value);
    case 'status':
      return value === (running ? 'running' : 'exited');
    case 'health':
      return value === health;
    case 'unit':
      return state.unit === value;
    case 'ancestor':
      return state.image === value || state.imageId.startsWith(value);
    default: {
      const [key = '', wanted] = splitOnce(value);
      return key in state.labels && (wanted === undefined || state.labels[key] === wanted);
    }
  }
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function sorted(command: Command, rows: Row[]): Row[] {
  const by = lastValue(command, 'sort') ?? 'created';
  const keys: Readonly<Record<string, (row: Row) => string | number>> = {
    created: row => -row.state.created,
    runningfor: row => -row.state.created,
    id: row => row.state.id,
    image: row => row.state.image,
    names: row => row.state.name,
    status: row => (row.running ? 0 : 1),
  };
  const key = keys[by];
  if (key === undefined) throw new Failure(125, `--sort ${by}: use ${Object.keys(keys).join(', ')}`);
  const list = [...rows].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  const last = Number(lastValue(command, 'last') ?? list.length);
  return list.slice(0, Number.isInteger(last) && last >= 0 ? last : list.length);
}

/** As the peer's: `Up 5 minutes (healthy)`. */
function statusOf({ state, running, health }: Row, now: number): string {
  if (!running) return 'Exited';
  return `Up ${ageOf(now - state.created)}${health === '' ? '' : ` (${health})`}`;
}

function cellsOf(row: Row, now: number, full: boolean): Record<string, string> {
  const { state, running } = row;
  const line = state.command.join(' ');
  const shown: Record<string, string> = {
    ID: full ? state.id : state.id.slice(0, 12),
    Image: state.image,
    ImageID: full ? state.imageId : state.imageId.slice(0, 12),
    Command: full || line.length <= 20 ? line : `${line.slice(0, 17)}...`,
    Created: agoOf(now - state.created),
    CreatedAt: new Date(state.created * 1000).toISOString(),
    RunningFor: agoOf(now - state.created),
    Status: statusOf(row, now),
    State: running ? 'running' : 'exited',
    Ports: portsText(state.ports),
    Names: state.name,
    Labels: Object.entries(state.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Pid: running ? String(state.pid) : '0',
    Unit: state.unit,
  };
  for (const key of Object.keys(shown)) shown[key] = printable(shown[key] ?? '');
  return shown;
}

/** The fields of the peer's `ps --format json`, as far as they have a meaning here. */
function toJson(row: Row, now: number): Record<string, unknown> {
  const { state, running } = row;
  return {
    Id: state.id,
    Names: [state.name],
    Image: state.image,
    ImageID: state.imageId,
    Command: state.command,
    Created: state.created,
    CreatedAt: agoOf(now - state.created),
    StartedAt: state.created,
    Exited: !running,
    State: running ? 'running' : 'exited',
    Status: statusOf(row, now),
    Pid: running ? state.pid : 0,
    Labels: state.labels,
    Ports: state.ports.map(port => ({
      host_ip: port.host,
      host_port: port.hostPort,
      container_port: port.port,
      protocol: port.protocol,
      range: 1,
    })),
    AutoRemove: state.remove,
    Unit: state.unit,
    UnitManager: state.manager,
  };
}
