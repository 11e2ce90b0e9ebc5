import { CONTAINER_EXISTS } from '../command/options-seeing.ts';
import type { Host } from '../host/host.ts';
import { findContainer } from '../run/containers.ts';
import { commandLine } from './command-line.ts';

/** `berth container exists NAME` */
export function main(host: Host): number {
  const command = commandLine(host, CONTAINER_EXISTS);
  if (typeof command === 'number') return command;
  return findContainer(host, command.operands[0] ?? '') === undefined ? 1 : 0;
}
