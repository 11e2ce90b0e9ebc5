import { allValues } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { isAlive, listContainers } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { readExit, type ExitRecord } from '../run/exit-record.ts';
import { isFrozen } from '../run/freezer.ts';
import { readHealth } from '../run/health-results.ts';
import { type ContainerState, madeAt } from '../run/state.ts';
import { readState } from '../network/ipam.ts';
import { networkNamesOf } from '../network/names-of.ts';
import { readNetwork } from '../network/records.ts';
import { storeDirectory } from '../image/store.ts';
import { isWanted, restartPolicy, unitEnd } from './unit-end.ts';
import { ageOf, agoOf } from './show.ts';

/** A container as lists and filters see it. */
export interface Row {
  readonly state: ContainerState;
  readonly bundle: string;
  readonly running: boolean;
  readonly paused: boolean;
  /** `healthy`, …; empty: no checks. */
  readonly health: string;
  /** How it ended, when somebody saw it. */
  readonly exit?: ExitRecord;
}

/** All containers of this account whose start has come so far, with `--filter`. */
export function containerRows(host: Host, command: Command): Row[] {
  const rows: Row[] = [];
  for (const { state, bundle } of listContainers(host)) if (state !== undefined) rows.push(rowOf(host, state, bundle));
  const filters = allValues(command, 'filter').map(text => parseFilter(host, text, rows));
  // As the peer has it: of one key any is enough, but for those of which each narrows; all keys must fit.
  const groups = new Map<string, Filter[]>();
  for (const [index, filter] of filters.entries()) {
    const key = EACH.includes(filter.name) ? String(index) : filter.name;
    groups.set(key, [...(groups.get(key) ?? []), filter]);
  }
  return rows.filter(row => [...groups.values()].every(group => group.some(({ keeps }) => keeps(row))));
}

export function rowOf(host: Host, state: ContainerState, bundle: string): Row {
  const running = isAlive(host, state);
  const exit = running ? undefined : readExit(host, bundle);
  return {
    state,
    bundle,
    running,
    paused: running && isFrozen(host, state),
    health: running && state.health !== undefined ? (readHealth(host, state)?.Status ?? '') : '',
    ...(exit === undefined ? {} : { exit }),
  };
}

/** As the peer's: `running`, `paused`, `exited`, `created`. */
export function stateWord(row: Row): string {
  if (row.running) return row.paused ? 'paused' : 'running';
  return row.state.pid === 0 ? 'created' : 'exited';
}

/** As the peer's: `Up 5 minutes (healthy)`, `Paused`, `Exited (3) 2 hours ago`. */
export function statusText(row: Row, now: number): string {
  if (!row.running) return row.state.pid === 0 ? 'Created' : exitedText(row, now);
  if (row.paused) return 'Paused';
  const notes = row.health === '' ? '' : ` (${row.health})`;
  return `Up ${ageOf(now - row.state.created)}${notes}`;
}

function exitedText({ exit }: Row, now: number): string {
  if (exit === undefined) return 'Exited';
  const status = exit.status === undefined ? '' : ` (${exit.status})`;
  return `Exited${status} ${agoOf(now - exit.finished)}`;
}

interface Filter {
  readonly name: string;
  readonly keeps: (row: Row) => boolean;
}

type Maker = (value: string, host: Host, rows: readonly Row[]) => (row: Row) => boolean;

/** podman-ps(1), --filter; a container here is never in one of the last ones. */
const STATES = ['running', 'paused', 'exited', 'stopped', 'created', 'stopping', 'initialized', 'dead', 'unknown'];

/** Of these keys each filter must fit: with two limits of time, `container prune` removes no more than with one. */
const EACH = ['label', 'until', 'before', 'since'];

/** podman-ps(1), --filter. */
const FILTERS: Readonly<Record<string, Maker>> = {
  id: value => row => row.state.id.startsWith(value),
  name: value => {
    const pattern = patternOf(value);
    return row => pattern.test(row.state.name);
  },
  status: value => {
    if (!STATES.includes(value)) throw new Failure(125, `--filter status=${value}: use ${STATES.join(', ')}`);
    return row => value === stateWord(row) || (value === 'stopped' && stateWord(row) === 'exited');
  },
  exited: value => row => !row.running && String(row.exit?.status) === value,
  health: value => row => value === (row.health === '' ? 'none' : row.health),
  label: value => row => hasLabel(row, value),
  'label!': value => row => !hasLabel(row, value),
  ancestor: value => row => isImage(row.state, value),
  unit: value => row => row.state.unit === value || row.state.unit === `${value}.service`,
  volume: value => row => [...(row.state.volumes ?? []), ...row.state.anonymousVolumes].includes(value),
  network: (value, host) => {
    const name = readNetwork(host, storeDirectory(host), value)?.name ?? value;
    const { attachments } = readState(host);
    return ({ state, bundle, running }) =>
      state.network.kind === value || networkNamesOf(attachments, state, bundle, running).includes(name);
  },
  pod: value => row => row.state.pod === value,
  'restart-policy':
    (value, host) =>
    ({ state, bundle }) =>
      restartPolicy(state, unitEnd(host, state, bundle)).Name === value,
  'should-start-on-boot': (value, host) => {
    if (value !== 'true' && value !== 'false')
      throw new Failure(125, `--filter should-start-on-boot=${value}: use true or false`);
    return row => String(isWanted(host, row.state)) === value;
  },
  command: value => row => row.state.command[0] === value,
  before: (value, _host, rows) => {
    const made = madeAt(named(value, rows).state);
    return row => madeAt(row.state) < made;
  },
  since: (value, _host, rows) => {
    const made = madeAt(named(value, rows).state);
    return row => madeAt(row.state) > made;
  },
  until: (value, host) => {
    const end = untilOf(value, host.now());
    return row => madeAt(row.state) < end;
  },
};

function parseFilter(host: Host, text: string, rows: readonly Row[]): Filter {
  const at = text.indexOf('=');
  const negated = text[at - 1] === '!';
  const name = at < 0 ? text : text.slice(0, negated ? at - 1 : at);
  const make = FILTERS[negated ? `${name}!` : name];
  if (make === undefined || at < 0) {
    throw new Failure(125, `--filter ${text}: use ${Object.keys(FILTERS).join('=, ')}=`);
  }
  return { name, keeps: make(text.slice(at + 1), host, rows) };
}

function patternOf(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch {
    throw new Failure(125, `--filter name=${value}: not a regular expression`);
  }
}

function hasLabel({ state }: Row, value: string): boolean {
  const at = value.indexOf('=');
  const key = at < 0 ? value : value.slice(0, at);
  return key in state.labels && (at < 0 || state.labels[key] === value.slice(at + 1));
}

/** The image's name with or without its tag, and without what stands before its last part, or the beginning of its id. */
function isImage({ image, imageId }: ContainerState, value: string): boolean {
  const name = (text: string): string => text.replace(/@.*$|:[^:/]*$/, '');
  const tagged = (text: string): string => (name(text) === text ? `${text}:latest` : text);
  const same = (text: string): boolean => text === value || name(text) === value || tagged(text) === value;
  return same(image) || same(image.slice(image.lastIndexOf('/') + 1)) || imageId.startsWith(value);
}

function named(value: string, rows: readonly Row[]): Row {
  const found = rows.find(row => row.state.name === value || (value.length > 1 && row.state.id.startsWith(value)));
  if (found === undefined) throw new Failure(125, `${value}: no such container`);
  return found;
}

/** `10m`, `1h30m`: so long ago; seconds since the epoch; a date. */
function untilOf(value: string, now: number): number {
  if (/^(\d+(h|m|s))+$/.test(value)) {
    const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
    const parts = [...value.matchAll(/(\d+)([hms])/g)];
    return now - parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0);
  }
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Date.parse(value) / 1000;
  if (Number.isNaN(seconds))
    throw new Failure(125, `--filter until=${value}: neither a duration such as 10m nor a date`);
  return seconds;
}
