import { lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { readState } from '../network/ipam.ts';
import { realName } from '../network/placement.ts';
import { listNetworks, readNetwork, type NetworkRecord } from '../network/records.ts';
import { usersOf } from '../network/users.ts';
import { Failure } from '../run/failure.ts';
import { forEachOperand } from './edge.ts';
import { filtersOf, hasLabel, joinLabels } from './labels.ts';
import { writeListing } from './list-output.ts';
import { storeOf } from './place.ts';
import { walkTemplate } from './template.ts';

/** `berth network ls` */
export function listAllNetworks(host: Host, command: Command): number {
  writeListing(host, command, {
    rows: selectedNetworks(host, command, listNetworks(host, storeOf(host, command))),
    key: record => record.name,
    cells: record => ({
      ID: record.id.slice(0, 12),
      Name: record.name,
      Driver: record.driver,
      Labels: joinLabels(record.labels ?? {}),
      Subnets: record.subnets.map(({ subnet }) => subnet).join(' '),
    }),
    json: record => record,
    headings: { ID: 'NETWORK ID', Name: 'NAME', Driver: 'DRIVER', Labels: 'LABELS', Subnets: 'SUBNETS' },
    table: 'table {{.ID}}\t{{.Name}}\t{{.Driver}}',
  });
  return 0;
}

/** `--filter name= id= driver= label= dangling=` */
export function selectedNetworks(host: Host, command: Command, records: readonly NetworkRecord[]): NetworkRecord[] {
  const filters = filtersOf(command, ['name', 'id', 'driver', 'label', 'dangling']);
  return records.filter(record =>
    filters.every(({ name, value }) => {
      if (name === 'name') return record.name.includes(value) || record.name === realName(value);
      if (name === 'id') return record.id.startsWith(value);
      if (name === 'driver') return record.driver === value;
      if (name === 'label') return hasLabel(record.labels ?? {}, value);
      return (usersOf(host, record.name).length === 0) === (value === 'true');
    }),
  );
}

/** The record, and who is attached; undefined: there is no such network. */
export function networkShown(host: Host, store: string, name: string): Record<string, unknown> | undefined {
  const record = readNetwork(host, store, name);
  if (record === undefined) return undefined;
  const containers = Object.values(readState(host).attachments)
    .filter(one => one.networks[record.name] !== undefined)
    .map(one => [one.bundle.split('/').at(-1) ?? '', { addresses: one.networks[record.name] ?? [] }]);
  return { ...record, containers: Object.fromEntries(containers) as unknown };
}

/** `berth network inspect` */
export function inspectNetworks(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const shown: Record<string, unknown>[] = [];
  const status = forEachOperand(host, command.operands, name => {
    const network = networkShown(host, store, name);
    if (network === undefined) throw new Failure(1, `${name}: no such network`);
    shown.push(network);
    return 0;
  });
  const format = lastValue(command, 'format') ?? 'json';
  if (format === 'json') host.write(1, `${JSON.stringify(shown, undefined, 4)}\n`);
  else host.write(1, shown.map(one => `${walkTemplate(host, format, one)}\n`).join(''));
  return status;
}
