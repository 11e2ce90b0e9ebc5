import { encodeText } from '../base/text.ts';
import { INFO, VERSION } from '../command/options-container.ts';
import { lastValue } from '../command/read.ts';
import type { VerbRow } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { commandLine, printable } from './command-line.ts';
import { fillGoTemplate } from './go-template-fill.ts';
import { factsOf, versionFacts } from './info-facts.ts';
import { walkTemplate } from './template.ts';

/** `berth info`, `berth version`: what starts depend on, as found now, with the peer's names. */
export function main(host: Host): number {
  const row: VerbRow =
    host.argv.find(word => word === INFO.name || word === VERSION.name) === INFO.name ? INFO : VERSION;
  const command = commandLine(host, row);
  if (typeof command === 'number') return command;
  const facts = row === INFO ? factsOf(host, command) : { Client: versionFacts() };
  const format = lastValue(command, 'format') ?? '';
  if (format === 'json') host.write(1, encodeText(`${JSON.stringify(facts, undefined, 4)}\n`));
  else if (format !== '')
    host.write(
      1,
      `${walkTemplate(host, format, { ...(row === INFO ? {} : versionFacts()), ...facts }, fillGoTemplate)}\n`,
    );
  else host.write(1, encodeText(`${outline(facts, '').join('\n')}\n`));
  return 0;
}

/** Names and values, two blanks deeper for each level. */
function outline(value: object, indent: string): string[] {
  return Object.entries(value as Record<string, unknown>).flatMap(([key, one]) => {
    if (one === null || typeof one !== 'object') return [`${indent}${key}: ${printable(String(one))}`];
    const inner = Array.isArray(one)
      ? one.flatMap(item => itemLines(item, `${indent}  `))
      : outline(one, `${indent}  `);
    return [`${indent}${key}:${inner.length === 0 ? ' none' : ''}`, ...inner];
  });
}

function itemLines(item: unknown, indent: string): string[] {
  if (item === null || typeof item !== 'object') return [`${indent}- ${printable(String(item))}`];
  const [first = '', ...rest] = outline(item, `${indent}  `);
  return [`${indent}- ${first.trim()}`, ...rest];
}
