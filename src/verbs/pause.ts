import { PAUSE, UNPAUSE } from '../command/options-seeing.ts';
import { allValues, isSet } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { isAlive, requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { freeze, isFrozen } from '../run/freezer.ts';
import { commandLine } from './command-line.ts';
import { containerRows } from './container-rows.ts';
import { forEachOperand } from './edge.ts';
import { stopped } from './paused.ts';
import { selectContainers } from './select.ts';
import { tellOf } from './tell.ts';

/** `berth pause` and `unpause`: the freezer of the payload's control group. */
export async function main(host: Host): Promise<number> {
  const pausing = host.argv.includes('pause');
  const command = commandLine(host, pausing ? PAUSE : UNPAUSE);
  if (typeof command === 'number') return command;
  const done: string[] = [];
  const status = forEachOperand(host, chosen(host, command, pausing), word => {
    const { state } = requireContainer(host, word);
    if (!isAlive(host, state)) throw new Failure(125, `${word}: container is not running`);
    if (isFrozen(host, state) === pausing)
      throw new Failure(125, `${word}: container is ${pausing ? 'paused already' : 'not paused'}`);
    freeze(host, state, pausing);
    done.push(word);
    return 0;
  });
  for (const word of done) {
    const { state } = requireContainer(host, word);
    if (pausing) await stopped(host, state);
    tellOf(host, pausing ? 'pause' : 'unpause', state, pausing ? 'is paused' : 'goes on');
    host.write(1, `${word}\n`);
  }
  return status;
}

/** `--all`: those that it can be done with. */
function chosen(host: Host, command: Command, pausing: boolean): readonly string[] {
  const filtered = allValues(command, 'filter').length > 0;
  if (!isSet(command, 'all') && !filtered) return selectContainers(host, command);
  if (command.operands.length > 0) throw new Failure(125, '--all, --filter and container names exclude each other');
  return containerRows(host, command)
    .filter(row => row.running && row.paused !== pausing)
    .map(row => row.state.name);
}
