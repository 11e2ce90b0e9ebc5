import { PORT } from '../command/options-seeing.ts';
import { isSet } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { listContainers, requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import type { ContainerState } from '../run/state.ts';
import { commandLine } from './command-line.ts';

/** `berth port`: the published ports of one container, of one of its ports, or of all containers. */
export function main(host: Host): number {
  const command = commandLine(host, PORT);
  if (typeof command === 'number') return command;
  const [word, wanted] = command.operands;
  if (isSet(command, 'all')) {
    if (word !== undefined) throw new Failure(125, '--all and a container exclude each other');
    const states = listContainers(host).flatMap(one => (one.state === undefined ? [] : [one.state]));
    host.write(1, states.flatMap(state => linesOf(state).map(line => `${state.id.slice(0, 12)}\t${line}\n`)).join(''));
    return 0;
  }
  if (word === undefined) throw new Failure(125, 'name a container, or give --all');
  const { state } = requireContainer(host, word);
  if (wanted === undefined) {
    host.write(
      1,
      linesOf(state)
        .map(line => `${line}\n`)
        .join(''),
    );
    return 0;
  }
  const [port = '', protocol = 'tcp'] = wanted.split('/');
  const found = state.ports.filter(one => String(one.port) === port && one.protocol === protocol);
  if (found.length === 0) throw new Failure(125, `${word}: port ${wanted} is not published`);
  host.write(1, found.map(one => `${hostSide(one)}\n`).join(''));
  return 0;
}

type Port = ContainerState['ports'][number];

const linesOf = (state: ContainerState): string[] =>
  state.ports.map(port => `${port.port}/${port.protocol} -> ${hostSide(port)}`);

function hostSide({ host, hostPort }: Port): string {
  const address = host === '' ? '0.0.0.0' : host.includes(':') ? `[${host}]` : host;
  return `${address}:${hostPort}`;
}
