import { version } from '../base/version.ts';
import { VERSION } from '../command/options-container.ts';
import { lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { commandLine } from './command-line.ts';
import { fillTemplate } from './format.ts';

/** `berth version` */
export function main(host: Host): number {
  const command = commandLine(host, VERSION);
  if (typeof command === 'number') return command;
  const format = lastValue(command, 'format') ?? '';
  const facts = { Version: version(), Kernel: host.kernelRelease(), Node: process.version };
  if (format === 'json') host.write(1, `${JSON.stringify(facts, undefined, 4)}\n`);
  else if (format !== '') host.write(1, `${fillTemplate(format, facts)}\n`);
  else host.write(1, `Version: ${facts.Version}\nKernel:  ${facts.Kernel}\nNode:    ${facts.Node}\n`);
  return 0;
}
