import { globalValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { storeDirectory } from '../image/store.ts';

/** The store that a command line means. */
export function storeOf(host: Host, command: Command): string {
  return globalValue(command, 'root') ?? storeDirectory(host);
}
