import { INSPECT } from '../command/options-container.ts';
import { lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import type { Spec } from '../plan/spec.ts';
import { requireContainer, type Container } from '../run/containers.ts';
import { readHealth } from '../run/health-results.ts';
import type { ContainerState } from '../run/state.ts';
import { rowOf, stateWord } from './container-rows.ts';
import { forEachOperand, verb } from './edge.ts';
import { walkTemplate } from './template.ts';

/** `berth inspect`: the bundle and the state in the peer's shape, with the whole of both below `Berth`. */
export const main: (host: Host) => number = verb(INSPECT, (host, command) => {
  const type = lastValue(command, 'type') ?? 'container';
  if (type === 'image') {
    const format = lastValue(command, 'format');
    const words = format === undefined ? [] : [`--format=${format}`];
    host.exec(['/proc/self/exe', 'image', 'inspect', ...words, '--', ...command.operands], host.environmentList());
  }
  const format = lastValue(command, 'format') ?? 'json';
  const shown: unknown[] = [];
  const status = forEachOperand(host, command.operands, word => {
    shown.push(inspected(host, requireContainer(host, word)));
    return 0;
  });
  if (format === 'json') host.write(1, `${JSON.stringify(shown, undefined, 4)}\n`);
  else host.write(1, shown.map(one => `${walkTemplate(format, one)}\n`).join(''));
  return status;
});

function inspected(host: Host, container: Container & { readonly state: ContainerState }): Record<string, unknown> {
  const { state, bundle } = container;
  const text = host.readFileIfExists(`${bundle}/config.json`);
  const spec = text === undefined ? undefined : (JSON.parse(text) as Spec);
  const row = rowOf(host, state, bundle);
  const { running, paused } = row;
  const health = readHealth(host, state);
  const [path = '', ...args] = state.command;
  return {
    Id: state.id,
    Created: new Date(state.created * 1000).toISOString(),
    Path: path,
    Args: args,
    State: {
      OciVersion: spec?.ociVersion ?? '',
      Status: stateWord(row),
      Running: running,
      Paused: paused,
      Pid: running ? state.pid : 0,
      StartedAt: new Date(state.created * 1000).toISOString(),
      CgroupPath: state.cgroup,
      ...(health === undefined ? {} : { Health: health }),
    },
    Image: state.imageId,
    ImageName: state.image,
    Name: state.name,
    OCIConfigPath: `${bundle}/config.json`,
    OCIRuntime: state.runtime === '' ? 'berth' : state.runtime,
    Mounts: (spec?.mounts ?? []).filter(mount => mount.type === 'bind').map(mountOf),
    GraphDriver: { Name: 'overlay', Data: { UpperDir: state.layer === '' ? '' : `${state.layer}/upper` } },
    NetworkSettings: { Ports: portsOf(state) },
    Config: {
      Hostname: spec?.hostname ?? '',
      User: spec?.process === undefined ? '' : `${spec.process.user.uid}:${spec.process.user.gid}`,
      Env: spec?.process?.env ?? [],
      Cmd: state.command,
      Image: state.image,
      WorkingDir: spec?.process?.cwd ?? '',
      Tty: spec?.process?.terminal ?? false,
      Labels: state.labels,
      Annotations: spec?.annotations ?? {},
      StopSignal: state.stopSignal,
      StopTimeout: state.stopTimeout,
    },
    HostConfig: {
      AutoRemove: state.remove,
      NetworkMode: state.network.kind,
      LogConfig: { Type: state.logDriver },
      ReadonlyRootfs: spec?.root.readonly ?? false,
      CapAdd: spec?.process?.capabilities?.bounding ?? [],
    },
    Berth: { unit: state.unit, manager: state.manager, state, spec },
  };
}

function mountOf(mount: NonNullable<Spec['mounts']>[number]): Record<string, unknown> {
  const options = mount.options ?? [];
  return {
    Type: 'bind',
    Source: mount.source ?? '',
    Destination: mount.destination,
    Options: options,
    RW: !options.includes('ro'),
  };
}

function portsOf(state: ContainerState): Record<string, { HostIp: string; HostPort: string }[]> {
  const found: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of state.ports) {
    const key = `${port.port}/${port.protocol}`;
    (found[key] ??= []).push({ HostIp: port.host, HostPort: String(port.hostPort) });
  }
  return found;
}
