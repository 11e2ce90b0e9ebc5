import { PS } from '../command/options-container.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import { HostError, type Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { containerRows, stateWord, statusText, type Row } from './container-rows.ts';
import { containerSizes, type Sizes } from './container-sizes.ts';
import { verb } from './edge.ts';
import { renderRows, type Cells } from './format.ts';
import { agoOf, portsText, shortSize } from './show.ts';
import { readState } from '../network/ipam.ts';
import { networkNamesOf } from '../network/names-of.ts';
import { byNode } from './template.ts';
import { unitEnd } from './unit-end.ts';
import { laterMade, madeAt } from '../run/state.ts';

/** `berth ps`: the containers of this account, from their runtime directories; nothing is cached. */
export const main: (host: Host) => number = verb(PS, (host, command) => {
  const shown = sorted(command, containerRows(host, command).filter(wantedBy(command)));
  const format = lastValue(command, 'format') ?? '';
  const withSize = isSet(command, 'size') || format.includes('.Size');
  const attachments = /json|\.Networks/.test(format) ? readState(host).attachments : {};
  const sized = shown.map(row => ({
    ...row,
    networks: networkNamesOf(attachments, row.state, row.bundle, row.running),
    ...(withSize ? { sizes: containerSizes(host, row.state) } : {}),
    ...(/json|\.Restarts/.test(format) ? { restarts: unitEnd(host, row.state, row.bundle).restarts } : {}),
    ...(isSet(command, 'ns') || /\.(CGROUPNS|IPC|MNT|NET|PIDNS|USERNS|UTS)\b/.test(format)
      ? { namespaces: namespacesOf(host, row.running ? row.state.pid : 0) }
      : {}),
  }));
  const now = host.now();
  if (format === 'json') {
    host.write(
      1,
      `${JSON.stringify(
        sized.map(row => toJson(row, now)),
        undefined,
        2,
      )}\n`,
    );
  } else if (isSet(command, 'quiet')) {
    const full = isSet(command, 'no-trunc');
    host.write(1, sized.map(row => `${full ? row.state.id : row.state.id.slice(0, 12)}\n`).join(''));
  } else {
    const cells = sized.map(row => cellsOf(row, now, isSet(command, 'no-trunc')));
    const template = format === '' || format === 'table' ? defaultTable(command) : format;
    host.write(1, renderRows(template, HEADINGS, cells, !isSet(command, 'noheading'), byNode(host)));
  }
  return 0;
});

interface Sized extends Row {
  readonly sizes?: Sizes;
  readonly networks: readonly string[];
  readonly restarts?: number;
  readonly namespaces?: Readonly<Record<string, string>>;
}

/** Names of templates, of JSON, and files of /proc/PID/ns. */
const NAMESPACES: readonly (readonly [field: string, key: string, file: string])[] = [
  ['CGROUPNS', 'Cgroup', 'cgroup'],
  ['IPC', 'Ipc', 'ipc'],
  ['MNT', 'Mnt', 'mnt'],
  ['NET', 'Net', 'net'],
  ['PIDNS', 'Pidns', 'pid'],
  ['USERNS', 'User', 'user'],
  ['UTS', 'Uts', 'uts'],
];

/** Their numbers; a process of other users' namespaces is nobody's to look at but root's. */
function namespacesOf(host: Host, pid: number): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, , file] of NAMESPACES) {
    try {
      found[name] = /\d+/.exec(host.readlink(`/proc/${pid}/ns/${file}`))?.[0] ?? '';
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      found[name] = '';
    }
  }
  return found;
}

function defaultTable(command: Command): string {
  if (isSet(command, 'ns'))
    return 'table {{.ID}}\t{{.Names}}\t{{.Pid}}\t{{.CGROUPNS}}\t{{.IPC}}\t{{.MNT}}\t{{.NET}}\t{{.PIDNS}}\t{{.USERNS}}\t{{.UTS}}';
  const pod = isSet(command, 'pod') ? '\t{{.Pod}}' : '';
  const size = isSet(command, 'size') ? '\t{{.Size}}' : '';
  return `table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.Created}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}${pod}${size}`;
}

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
  Mounts: 'MOUNTS',
  Networks: 'NETWORKS',
  Pid: 'PID',
  Pod: 'POD',
  PodName: 'POD',
  Size: 'SIZE',
  StartedAt: 'STARTED',
  Exited: 'EXITED',
  ExitedAt: 'EXITED AT',
  ExitCode: 'EXIT CODE',
  AutoRemove: 'AUTO REMOVE',
  Unit: 'UNIT',
  Restarts: 'RESTARTS',
  CIDFile: 'CIDFILE',
  IsInfra: 'IS INFRA',
  CGROUPNS: 'CGROUPNS',
  IPC: 'IPC',
  MNT: 'MNT',
  NET: 'NET',
  PIDNS: 'PIDNS',
  USERNS: 'USERNS',
  UTS: 'UTS',
};

/** Without --all those that run; a filter for a state asks for all. */
function wantedBy(command: Command): (row: Row) => boolean {
  const all =
    isSet(command, 'all') ||
    lastValue(command, 'last') !== undefined ||
    isSet(command, 'latest') ||
    command.options.some(use => use.name === 'filter' && use.value.startsWith('status='));
  return row => all || row.running;
}

function sorted(command: Command, rows: Row[]): Row[] {
  const by = lastValue(command, 'sort') ?? 'created';
  const keys: Readonly<Record<string, (row: Row) => string | number>> = {
    command: row => row.state.command.join(' '),
    created: row => -madeAt(row.state),
    runningfor: row => -madeAt(row.state),
    id: row => row.state.id,
    image: row => row.state.image,
    names: row => row.state.name,
    status: row => (row.running ? 0 : 1),
  };
  const key = keys[by];
  if (key === undefined) throw new Failure(125, `--sort ${by}: use ${Object.keys(keys).join(', ')}`);
  // The last ones are those made last, whatever the order in which they are shown.
  const last = isSet(command, 'latest') ? 1 : Number(lastValue(command, 'last') ?? rows.length);
  return [...rows]
    .sort((a, b) => laterMade(a.state, b.state))
    .slice(0, Number.isInteger(last) && last >= 0 ? last : rows.length)
    .sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function cellsOf(row: Sized, now: number, full: boolean): Cells {
  const { state, running, sizes } = row;
  const line = state.command.join(' ');
  return {
    ID: full ? state.id : state.id.slice(0, 12),
    Image: state.image,
    ImageID: full ? state.imageId : state.imageId.slice(0, 12),
    Command: full || line.length <= 20 ? line : `${line.slice(0, 17)}...`,
    Created: agoOf(now - madeAt(state)),
    CreatedAt: new Date(madeAt(state) * 1000).toISOString(),
    RunningFor: agoOf(now - madeAt(state)),
    Status: statusText(row, now),
    State: stateWord(row),
    Ports: portsText(state.ports),
    Names: state.name,
    Labels: state.labels,
    Mounts: mountsOf(row),
    Networks: row.networks.join(','),
    Pid: running ? String(state.pid) : '0',
    Pod: state.pod ?? '',
    PodName: state.pod ?? '',
    Size: sizes === undefined ? '' : `${shortSize(sizes.own)} (virtual ${shortSize(sizes.whole)})`,
    StartedAt: String(state.created),
    Exited: String(!running),
    ExitedAt: String(row.exit === undefined ? 0 : Math.floor(row.exit.finished)),
    ExitCode: String(row.exit?.status ?? 0),
    AutoRemove: String(state.remove),
    Unit: state.unit,
    Restarts: String(row.restarts ?? 0),
    CIDFile: state.asked?.cidfile ?? '',
    IsInfra: String(isInfra(row)),
    ...row.namespaces,
  };
}

/** Where things of the host are in the container, as the peer lists them. */
const mountsOf = ({ state }: Row): string[] => (state.mounts ?? []).map(mount => mount.target);

/** The holder of a pod has a directory of its own for a root. */
const isInfra = ({ state, bundle }: Row): boolean => state.pod !== undefined && state.image === `${bundle}/rootfs`;

/** The fields of the peer's `ps --format json`, as far as they have a meaning here. */
function toJson(row: Sized, now: number): Record<string, unknown> {
  const { state, running, sizes } = row;
  return {
    AutoRemove: state.remove,
    Command: state.command,
    Created: madeAt(state),
    CreatedAt: agoOf(now - madeAt(state)),
    CIDFile: state.asked?.cidfile ?? '',
    ExitCode: row.exit?.status ?? 0,
    Exited: !running,
    ExitedAt: row.exit === undefined ? 0 : Math.floor(row.exit.finished),
    Id: state.id,
    Image: state.image,
    ImageID: state.imageId,
    IsInfra: isInfra(row),
    Labels: state.labels,
    Mounts: mountsOf(row),
    Names: [state.name],
    Namespaces: Object.fromEntries(
      NAMESPACES.flatMap(([name, key]) =>
        (row.namespaces?.[name] ?? '') === '' ? [] : [[key, row.namespaces?.[name]]],
      ),
    ),
    Networks: row.networks,
    Pid: running ? state.pid : 0,
    Pod: state.pod ?? '',
    PodName: state.pod ?? '',
    Ports: state.ports.map(port => ({
      host_ip: port.host,
      host_port: port.hostPort,
      container_port: port.port,
      protocol: port.protocol,
      range: 1,
    })),
    Restarts: row.restarts ?? 0,
    ...(sizes === undefined ? {} : { Size: { rwSize: sizes.own, rootFsSize: sizes.whole } }),
    StartedAt: state.created,
    State: stateWord(row),
    Status: statusText(row, now),
    Unit: state.unit,
    UnitManager: state.manager,
  };
}
