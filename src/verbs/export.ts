import { closeSync, openSync } from 'node:fs';
import { EXPORT } from '../command/options-seeing.ts';
import { lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { runLayer } from '../image/archive/program.ts';
import { requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { commandLine } from './command-line.ts';

/** `berth export`: a container's file system as a tar archive, without what is mounted in it. */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, EXPORT);
  if (typeof command === 'number') return command;
  const output = lastValue(command, 'output');
  if (output === undefined && host.isTerminal(1))
    throw new Failure(125, 'no archive is written to a terminal; give --output FILE');
  const { name } = requireContainer(host, command.operands[0] ?? '');
  const target = output === undefined ? 1 : openSync(Buffer.from(output, 'latin1'), 'w', 0o600);
  try {
    await runLayer(['container-export', `container=${name}`], { stdout: target });
  } finally {
    if (target !== 1) closeSync(target);
  }
  return 0;
}
