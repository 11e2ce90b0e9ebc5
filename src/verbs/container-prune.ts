import { readSync } from 'node:fs';
import { CONTAINER_PRUNE } from '../command/options-seeing.ts';
import { allValues, isSet } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { commandLine } from './command-line.ts';
import { containerRows } from './container-rows.ts';

const ALLOWED = /^(label!?|until)!?=/;

/** `berth container prune`: removes what does not run; a unit that is just starting keeps its container (rm takes the lock). */
export function main(host: Host): number {
  const command = commandLine(host, CONTAINER_PRUNE);
  if (typeof command === 'number') return command;
  for (const filter of allValues(command, 'filter'))
    if (!ALLOWED.test(filter)) throw new Failure(125, `--filter ${filter}: use label=, label!= or until=`);
  if (!isSet(command, 'force')) confirm(host);
  const names = containerRows(host, command)
    .filter(row => !row.running)
    .map(row => row.state.name);
  let status = 0;
  for (const name of names) {
    const done = host.run({ argv: ['/usr/bin/berth', 'rm', name], environment: host.environmentList() });
    if (status === 0) status = done.status ?? 125;
  }
  return status;
}

function confirm(host: Host): void {
  if (!host.isTerminal(0)) throw new Failure(125, 'there is no terminal to ask at; give --force');
  host.write(2, 'This removes all containers that do not run. Go on? [y/N] ');
  const answer = Buffer.alloc(64);
  const length = readSync(0, answer);
  if (!/^y(es)?\s*$/i.test(answer.toString('latin1', 0, length))) throw new Failure(125, 'nothing was removed');
}
