import { readFileSync } from 'node:fs';
import { FILL_TEMPLATE } from '../command/options-seeing.ts';
import type { Host } from '../host/host.ts';
import { commandLine } from './command-line.ts';
import { fillGoTemplate } from './go-template-fill.ts';

/** What the native program leaves of `--format TEMPLATE`: the value comes as JSON on standard input. */
export function main(host: Host): number {
  const command = commandLine(host, FILL_TEMPLATE);
  if (typeof command === 'number') return command;
  const value = JSON.parse(readFileSync(0, 'latin1')) as unknown;
  host.write(1, fillGoTemplate(command.operands[0] ?? '', value));
  return 0;
}
