import { spawnSync } from 'node:child_process';
import { START_ATTACHED } from '../command/options-control.ts';
import { isSet } from '../command/read.ts';
import type { OptionUse } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { programPath } from '../image/archive/program.ts';
import { findNamed, isAlive, requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import type { ContainerState } from '../run/state.ts';
import { attachTo } from './attach.ts';
import { commandLine } from './command-line.ts';
import { fieldOf, lastPlace, readEntries } from './journal-entries.ts';

const NO_STDIN: OptionUse = { name: 'no-stdin', value: 'true', form: 'flag' };

/**
 * `berth start --attach`: what the container writes from its start on, until it ends; its exit status is ours. What it wrote before we were
 * attached comes from the journal, so that nothing of one that ends at once is missing.
 */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, START_ATTACHED);
  if (typeof command === 'number') return command;
  const [word = ''] = command.operands;
  const before = requireContainer(host, word);
  const given = isSet(command, 'interactive') ? command : { ...command, options: [...command.options, NO_STDIN] };
  if (isAlive(host, before.state)) return attachTo(host, given, before);
  const from = lastPlace(host);
  const argv = ['start', '--quiet', '--', before.state.name];
  const { status } = spawnSync(programPath(), argv, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) return status ?? 125;
  const after = findNamed(host, before.state.name);
  const started = after?.state === undefined ? before : { ...after, state: after.state };
  const ended = await attachTo(host, given, started, from);
  return before.state.remove ? toldEnd(from, started.state) : ended;
}

/** Of a container of --rm, which is gone with its end: what the journal says. */
async function toldEnd(from: string, { id, name }: ContainerState): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    let status: number | undefined;
    await readEntries([from, `BERTH_ID=${id}`], async entry => {
      const told = fieldOf(entry, 'BERTH_EXIT_STATUS');
      if (told !== '') status = Number(told);
      await Promise.resolve();
    });
    if (status !== undefined) return status;
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
  }
  throw new Failure(125, `${name}: has ended and is gone, and its exit status is not in the journal`);
}

const TRIES = 300;
const PAUSE_MS = 100;
