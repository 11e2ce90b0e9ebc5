import { SECRET_VERBS } from '../command/options-storage.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { isName } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import {
  listSecrets,
  readSecret,
  readSecretSource,
  removeSecret,
  requireSecret,
  writeSecret,
  type Secret,
} from '../secret/store.ts';
import { printable } from './command-line.ts';
import { forEachOperand } from './edge.ts';
import { family } from './family.ts';
import { filtersOf, hasLabel, labelsOf } from './labels.ts';
import { writeListing } from './list-output.ts';
import { storeOf } from './place.ts';
import { agoOf } from './show.ts';
import { walkTemplate } from './template.ts';

/** `berth secret …` (podman-secret(1)); the driver is always `file`. */
export const main: (host: Host) => number = family('secret', SECRET_VERBS, {
  create,
  exists: (host, command) => (find(host, command, command.operands[0] ?? '') === undefined ? 1 : 0),
  inspect,
  ls: list,
  rm: remove,
});

function create(host: Host, command: Command): number {
  const [name = '', source = ''] = command.operands;
  if (!isName(name) || name.length > 253) {
    throw new Failure(
      125,
      `${name}: not a name of a secret; names match [a-zA-Z0-9][a-zA-Z0-9_.-]* and have at most 253 bytes`,
    );
  }
  const driver = lastValue(command, 'driver') ?? 'file';
  if (driver !== 'file') throw new Failure(125, `--driver ${driver}: there is no such driver; use file`);
  const store = storeOf(host, command);
  const labels = labelsOf(command);
  const before = readSecret(host, store, name);
  if (before !== undefined && isSet(command, 'ignore')) {
    host.write(1, `${before.record.id}\n`);
    return 0;
  }
  if (before !== undefined && !isSet(command, 'replace')) {
    throw new Failure(125, `${name}: there is a secret of this name; give --replace for another content`);
  }
  const data = isSet(command, 'env') ? variable(host, source) : readSecretSource(host, source);
  const now = Math.floor(host.now());
  const id = host.random(13).slice(0, 25);
  writeSecret(host, store, {
    record: { version: 1, id, name, created: before?.record.created ?? now, updated: now, labels },
    data,
  });
  host.write(1, `${id}\n`);
  return 0;
}

function variable(host: Host, name: string): string {
  const value = host.environment(name);
  if (value === undefined || value === '')
    throw new Failure(125, `${name}: there is no such variable in the environment`);
  return value;
}

function find(host: Host, command: Command, word: string): Secret | undefined {
  try {
    return requireSecret(host, storeOf(host, command), word);
  } catch (error) {
    if (error instanceof Failure && error.status === 1) return undefined;
    throw error;
  }
}

function remove(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const all = isSet(command, 'all');
  if (all && command.operands.length > 0) throw new Failure(125, '--all and names of secrets exclude each other');
  if (!all && command.operands.length === 0) throw new Failure(125, 'name at least one secret, or give --all');
  const words = all ? listSecrets(host, store).map(({ record }) => record.name) : command.operands;
  return forEachOperand(host, words, word => {
    const secret = isSet(command, 'ignore') ? find(host, command, word) : requireSecret(host, store, word);
    if (secret === undefined) return 0;
    removeSecret(host, store, secret.record.name);
    host.write(1, `${secret.record.id}\n`);
    return 0;
  });
}

function inspect(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const shown: Record<string, unknown>[] = [];
  const status = forEachOperand(host, command.operands, word => {
    shown.push(described(requireSecret(host, store, word), isSet(command, 'showsecret')));
    return 0;
  });
  const format = lastValue(command, 'format') ?? 'json';
  if (isSet(command, 'pretty')) host.write(1, shown.map(pretty).join('\n'));
  else if (format === 'json') host.write(1, `${JSON.stringify(shown, undefined, 4)}\n`);
  else host.write(1, shown.map(one => `${walkTemplate(host, format, one)}\n`).join(''));
  return status;
}

/** The peer's shape. */
function described({ record, data }: Secret, withData: boolean): Record<string, unknown> {
  return {
    ID: record.id,
    CreatedAt: new Date(record.created * 1000).toISOString(),
    UpdatedAt: new Date(record.updated * 1000).toISOString(),
    Spec: { Name: record.name, Driver: { Name: 'file', Options: {} }, Labels: record.labels },
    ...(withData ? { SecretData: data } : {}),
  };
}

function pretty(secret: Record<string, unknown>): string {
  const spec = secret['Spec'] as { Name: string; Labels: Record<string, string> };
  const labels = Object.entries(spec.Labels).map(([name, value]) => ` - ${printable(name)}=${printable(value)}`);
  const data = typeof secret['SecretData'] === 'string' ? [`Secret:          ${printable(secret['SecretData'])}`] : [];
  return [
    `ID:              ${String(secret['ID'])}`,
    `Name:            ${spec.Name}`,
    ...data,
    ...(labels.length === 0 ? [] : ['Labels:', ...labels]),
    'Driver:          file',
    `Created at:      ${String(secret['CreatedAt'])}`,
    `Updated at:      ${String(secret['UpdatedAt'])}`,
    '',
  ].join('\n');
}

function list(host: Host, command: Command): number {
  const filters = filtersOf(command, ['name', 'id', 'label']);
  const matches = ({ record }: Secret): boolean =>
    filters.every(({ name, value }) =>
      name === 'label'
        ? hasLabel(record.labels, value)
        : name === 'id'
          ? record.id.startsWith(value)
          : record.name.includes(value),
    );
  const now = host.now();
  writeListing(host, command, {
    rows: listSecrets(host, storeOf(host, command)).filter(matches),
    key: ({ record }) => record.id,
    cells: ({ record }) => ({
      ID: record.id,
      Name: record.name,
      Driver: 'file',
      CreatedAt: agoOf(now - record.created),
      UpdatedAt: agoOf(now - record.updated),
    }),
    json: secret => described(secret, false),
    headings: { ID: 'ID', Name: 'NAME', Driver: 'DRIVER', CreatedAt: 'CREATED', UpdatedAt: 'UPDATED' },
    table: 'table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.CreatedAt}}\t{{.UpdatedAt}}',
  });
  return 0;
}
