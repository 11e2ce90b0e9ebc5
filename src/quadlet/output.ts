import type { Bytes } from '../host/host.ts';
import type { Section } from '../unit/document.ts';
import { comment } from '../unit/write.ts';
import type { Draft, Unit } from './model.ts';

/**
 * The text of a service: the source with its comments and order, the type's section renamed so that systemd leaves it alone, and the generated
 * lines in [Unit] and [Service]. Lines go through as they were read, by slices of the whole file: most sections are copied in one step.
 */
export function serviceText(unit: Unit, draft: Draft): Bytes {
  const { document } = unit;
  const out: Bytes[] = [];
  const sections = document.sections;
  const firstUnit = sections.findIndex(isUnit);
  const lastUnit = sections.findLastIndex(isUnit);
  const lastService = sections.findLastIndex(isService);
  const preamble = sections[0]?.at ?? document.source.lines.length;
  if (preamble > 0) pushLines(out, document.source.clean, 0, preamble);
  let source = document.source;
  sections.forEach((section, i) => {
    separate(out);
    if (section.source !== source) {
      source = section.source;
      out.push(comment(source.path));
    }
    out.push(`[${renamed(section.name, unit.table.section)}]`);
    if (i === firstUnit) out.push(...draft.head);
    body(out, section);
    if (i === lastUnit) added(out, draft.tail);
    if (i === lastService) added(out, draft.lines);
  });
  if (firstUnit < 0) addSection(out, 'Unit', [...draft.head, ...draft.tail]);
  if (lastService < 0) addSection(out, 'Service', draft.lines);
  return `${out.join('\n')}\n`;
}

function isUnit(section: Section): boolean {
  return section.name === 'Unit';
}

function isService(section: Section): boolean {
  return section.name === 'Service';
}

function renamed(name: Bytes, type: string): Bytes {
  return name === type || name === 'Quadlet' ? `X-${name}` : name;
}

/** Lines of a section without its header and without empty lines at its end. */
function body(out: Bytes[], section: Section): void {
  const { clean } = section.source;
  let end = section.end;
  while (end > section.at + 1 && clean[end - 1] === '') end--;
  let from = section.at + 1;
  for (const entry of section.entries) {
    if (entry.out === undefined) continue;
    pushLines(out, clean, from, entry.at);
    if (entry.out !== '') out.push(entry.out);
    from = entry.end;
  }
  pushLines(out, clean, from, end);
}

function pushLines(out: Bytes[], lines: readonly Bytes[], from: number, to: number): void {
  if (to - from === 1) out.push(lines[from] ?? '');
  else if (to > from) out.push(lines.slice(from, to).join('\n'));
}

function added(out: Bytes[], lines: readonly Bytes[]): void {
  if (lines.length > 0) out.push(lines.join('\n'));
}

function addSection(out: Bytes[], name: string, lines: readonly Bytes[]): void {
  if (lines.length === 0) return;
  separate(out);
  out.push(`[${name}]`, lines.join('\n'));
}

/** One empty line in front of a section. */
function separate(out: Bytes[]): void {
  const last = out.at(-1);
  if (last !== undefined && last !== '' && !last.endsWith('\n')) out.push('');
}
