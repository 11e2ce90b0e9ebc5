import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { usersOf } from '../volume/mounting.ts';
import { backingOf } from '../volume/options.ts';
import { dataPath, listVolumes, requireVolume, type VolumeRecord } from '../volume/record.ts';
import { forEachOperand } from './edge.ts';
import { filtersOf, hasLabel, type Filter } from './labels.ts';
import { writeListing } from './list-output.ts';
import { storeOf } from './place.ts';
import { walkTemplate } from './template.ts';

/** `berth volume ls` */
export function listAll(host: Host, command: Command): number {
  const store = storeOf(host, command);
  writeListing(host, command, {
    rows: filteredVolumes(host, store, filtersOf(command, VOLUME_FILTERS)),
    key: record => record.name,
    cells: record => ({
      Name: record.name,
      Driver: record.driver ?? 'local',
      Mountpoint: mountPoint(store, record),
      Scope: 'local',
      Labels: record.labels,
      Options: record.options ?? {},
      CreatedAt: new Date(record.created * 1000).toISOString(),
    }),
    json: record => volumeShown(store, record),
    headings: {
      Name: 'VOLUME NAME',
      Driver: 'DRIVER',
      Mountpoint: 'MOUNTPOINT',
      Scope: 'SCOPE',
      Labels: 'LABELS',
      Options: 'OPTIONS',
      CreatedAt: 'CREATED',
    },
    table: 'table {{.Driver}}\t{{.Name}}',
  });
  return 0;
}

/** `berth volume inspect` */
export function inspectVolumes(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const all = isSet(command, 'all');
  if (all && command.operands.length > 0) throw new Failure(125, '--all and names of volumes exclude each other');
  if (!all && command.operands.length === 0) throw new Failure(125, 'name at least one volume, or give --all');
  const shown: Record<string, unknown>[] = all
    ? listVolumes(host, store).map(record => volumeShown(store, record))
    : [];
  const status = forEachOperand(host, command.operands, word => {
    shown.push(volumeShown(store, requireVolume(host, store, word)));
    return 0;
  });
  const format = lastValue(command, 'format') ?? 'json';
  if (format === 'json') host.write(1, `${JSON.stringify(shown, undefined, 4)}\n`);
  else host.write(1, shown.map(one => `${walkTemplate(host, format, one)}\n`).join(''));
  return status;
}

export const VOLUME_FILTERS: readonly string[] = [
  'name',
  'driver',
  'label',
  'label!',
  'opt',
  'dangling',
  'anonymous',
  'until',
];

/** The volumes that all filters fit; of several `name=` one is enough, as in the peer. */
export function filteredVolumes(host: Host, store: string, filters: readonly Filter[]): VolumeRecord[] {
  const names = filters.filter(filter => filter.name === 'name');
  const rest = filters.filter(filter => filter.name !== 'name');
  return listVolumes(host, store).filter(
    record =>
      (names.length === 0 || names.some(({ value }) => record.name.includes(value))) &&
      rest.every(filter => fits(host, record, filter)),
  );
}

function fits(host: Host, record: VolumeRecord, { name, value }: Filter): boolean {
  switch (name) {
    case 'driver':
      return (record.driver ?? 'local') === value;
    case 'label':
      return hasLabel(record.labels, value);
    case 'label!':
      return !hasLabel(record.labels, value);
    case 'opt':
      return record.options?.[value] !== undefined;
    case 'dangling':
      return (usersOf(host, record.name).length === 0) === (value === 'true');
    case 'anonymous':
      return record.anonymous === (value === 'true');
    default:
      return record.created < until(value);
  }
}

/** A date, or seconds since the epoch. */
function until(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (Number.isNaN(seconds))
    throw new Failure(125, `--filter until=${text}: write a date such as 2026-01-31, or seconds since 1970`);
  return seconds;
}

function mountPoint(store: string, record: VolumeRecord): string {
  const backing = backingOf(record);
  return backing.kind === 'bind' ? backing.device : dataPath(store, record.name);
}

/** The peer's shape. */
export function volumeShown(store: string, record: VolumeRecord): Record<string, unknown> {
  return {
    Name: record.name,
    Driver: record.driver ?? 'local',
    Mountpoint: mountPoint(store, record),
    CreatedAt: new Date(record.created * 1000).toISOString(),
    Labels: record.labels,
    Scope: 'local',
    Options: record.options ?? {},
    ...(record.uid === undefined ? {} : { UID: record.uid }),
    ...(record.gid === undefined ? {} : { GID: record.gid }),
    ...(record.anonymous ? { Anonymous: true } : {}),
    NeedsCopyUp: !record.filled,
  };
}
