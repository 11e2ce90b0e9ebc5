import { IMAGE_EXISTS } from '../command/options-image.ts';
import type { Host } from '../host/host.ts';
import { findImage } from '../image/resolve.ts';
import { openStore } from '../image/store.ts';
import { commandLine } from './command-line.ts';

/** `berth image exists IMAGE` */
export function main(host: Host): number {
  const command = commandLine(host, IMAGE_EXISTS);
  if (typeof command === 'number') return command;
  return findImage(host, openStore(host), command.operands[0] ?? '') === undefined ? 1 : 0;
}
