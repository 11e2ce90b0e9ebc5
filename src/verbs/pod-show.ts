import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { isRunning, type Container } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { listPods, membersOf, podStatus, requirePod, sharedBy, type PodRecord } from '../run/pods.ts';
import { forEachOperand } from './edge.ts';
import { filtersOf, hasLabel } from './labels.ts';
import { writeListing } from './list-output.ts';
import { storeOf } from './place.ts';
import { agoOf } from './show.ts';
import { walkTemplate } from './template.ts';

/** `berth pod ls`, as the peer's `pod ps`. */
export function listAllPods(host: Host, command: Command): number {
  const filters = filtersOf(command, ['name', 'id', 'label', 'status']);
  const full = isSet(command, 'no-trunc');
  const short = (id: string): string => (full ? id : id.slice(0, 12));
  const now = host.now();
  const rows = listPods(host, storeOf(host, command)).map(pod => ({
    pod,
    status: podStatus(host, pod),
    ...membersOf(host, pod),
  }));
  writeListing(host, command, {
    rows: rows.filter(({ pod, status }) =>
      filters.every(({ name, value }) => {
        if (name === 'name') return pod.name.includes(value);
        if (name === 'id') return pod.id.startsWith(value);
        if (name === 'label') return hasLabel(pod.labels, value);
        return status.toLowerCase() === value.toLowerCase();
      }),
    ),
    key: ({ pod }) => short(pod.id),
    cells: ({ pod, status, holder, members }) => ({
      ID: short(pod.id),
      Name: pod.name,
      Status: status,
      Created: agoOf(now - pod.created),
      InfraID: short(holder?.state?.id ?? ''),
      NumberOfContainers: String(members.length + (holder === undefined ? 0 : 1)),
      Labels: pod.labels,
    }),
    json: ({ pod, status, holder, members }) => ({
      Id: pod.id,
      Name: pod.name,
      Status: status,
      Created: new Date(pod.created * 1000).toISOString(),
      InfraId: holder?.state?.id ?? '',
      Labels: pod.labels,
      Containers: [...(holder === undefined ? [] : [holder]), ...members].map(one => listed(host, one)),
    }),
    headings: {
      ID: 'POD ID',
      Name: 'NAME',
      Status: 'STATUS',
      Created: 'CREATED',
      InfraID: 'INFRA ID',
      NumberOfContainers: '# OF CONTAINERS',
      Labels: 'LABELS',
    },
    table: 'table {{.ID}}\t{{.Name}}\t{{.Status}}\t{{.Created}}\t{{.InfraID}}\t{{.NumberOfContainers}}',
  });
  return 0;
}

function listed(host: Host, { name, state }: Container): Record<string, unknown> {
  const running = state !== undefined && isRunning(host, state);
  return {
    Id: state?.id ?? '',
    Names: name,
    Name: name,
    Status: running ? 'running' : 'exited',
    State: running ? 'running' : 'exited',
  };
}

/** `berth pod inspect`, in the peer's shape. */
export function inspectPods(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const shown: Record<string, unknown>[] = [];
  const status = forEachOperand(host, command.operands, word => {
    shown.push(podShown(host, requirePod(host, store, word)));
    return 0;
  });
  const format = lastValue(command, 'format') ?? 'json';
  if (format === 'json') host.write(1, `${JSON.stringify(shown, undefined, 4)}\n`);
  else host.write(1, shown.map(one => `${walkTemplate(host, format, one)}\n`).join(''));
  return status;
}

export function podShown(host: Host, pod: PodRecord): Record<string, unknown> {
  const { holder, members } = membersOf(host, pod);
  const all = [...(holder === undefined ? [] : [holder]), ...members];
  const ports: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of holder?.state?.ports ?? []) {
    (ports[`${port.port}/${port.protocol}`] ??= []).push({ HostIp: port.host, HostPort: String(port.hostPort) });
  }
  return {
    Id: pod.id,
    Name: pod.name,
    Created: new Date(pod.created * 1000).toISOString(),
    State: podStatus(host, pod),
    ExitPolicy: pod.exitPolicy,
    Labels: pod.labels,
    CreateInfra: true,
    InfraContainerID: holder?.state?.id ?? '',
    InfraContainerName: pod.infraName,
    InfraConfig: { PortBindings: ports, HostNetwork: holder?.state?.network.kind === 'host' },
    SharedNamespaces: sharedBy(pod),
    NumContainers: all.length,
    Containers: all.map(one => listed(host, one)),
    Unit: pod.unit,
    Options: pod.options,
  };
}

/** `berth pod logs`: `berth logs` of all members that keep a log. */
export function podLogs(host: Host, command: Command): number {
  const pod = requirePod(host, storeOf(host, command), command.operands[0] ?? '');
  const only = lastValue(command, 'container');
  const { members } = membersOf(host, pod);
  const names = members.filter(one => (only === undefined ? keepsLog(one) : isCalled(one, only))).map(one => one.name);
  if (names.length === 0)
    throw new Failure(
      125,
      only === undefined ? `${pod.name}: no container of it keeps a log` : `${pod.name}: it has no container ${only}`,
    );
  const options = command.options.filter(use => use.name !== 'container').map(use => `--${use.name}=${use.value}`);
  // Whose line it is: said by the journal of several units as well.
  const named = names.length > 1 && lastValue(command, 'names') === undefined ? ['--names'] : [];
  const argv = [host.readlink('/proc/self/exe'), 'logs', ...named, ...options, '--', ...names];
  return host.exec(argv, host.environmentList());
}

const isCalled = ({ name, state }: Container, word: string): boolean =>
  name === word || (word !== '' && state?.id.startsWith(word) === true);

/** One in the foreground writes to its terminal. */
const keepsLog = ({ state }: Container): boolean =>
  state !== undefined && state.logDriver !== 'none' && state.unit !== '' && !state.unit.endsWith('.scope');
