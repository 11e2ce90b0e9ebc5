import { isSet } from '../command/read.ts';
import type { Command, VerbRow } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { listContainers } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { laterMade } from '../run/state.ts';

/** Operands that are names of containers and nothing else. */
const NAMES_ALONE = /^\[?(CONTAINER|NAME)(\.\.\.)?\]?$/;

/** `--latest` as a name: the first operand is the container that was made last. A Failure (125) when there is none. */
export function withLatest(host: Host, row: VerbRow, command: Command): Command {
  if (row.operands === '' || !isSet(command, 'latest')) return command;
  if (command.operands.length > 0 && NAMES_ALONE.test(row.operands))
    throw new Failure(125, '--latest and names of containers exclude each other');
  const states = listContainers(host).flatMap(one => (one.state === undefined ? [] : [one.state]));
  const [latest] = states.sort(laterMade);
  if (latest === undefined) throw new Failure(125, '--latest: there is no container');
  return { ...command, operands: [latest.name, ...command.operands] };
}
