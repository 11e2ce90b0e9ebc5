import type { Bytes } from '../host/host.ts';
import { cleanLinesOf, endOf, type Document, type Section } from '../unit/document.ts';
import { comment } from '../unit/write.ts';
import type { Draft, Unit } from './model.ts';

/**
 * The text of a service: the source with its comments and order, the type's section renamed so that systemd leaves it alone, and the generated
 * lines in [Unit] and [Service]. Lines go through as they were read, by slices of the whole file: most sections are copied in one step.
 */
export function serviceText(unit: Unit, draft: Draft): Bytes {
  const { document } = unit;
  const { sections } = document;
  const type = unit.table.section;
  const out: Bytes[] = [];
  let firstUnit = -1;
  let lastUnit = -1;
  let lastService = -1;
  for (let i = 0; i < sections.length; i++) {
    const name = sections[i]?.name;
    if (name === 'Unit') {
      if (firstUnit < 0) firstUnit = i;
      lastUnit = i;
    } else if (name === 'Service') lastService = i;
  }
  preamble(out, document);
  let source = document.source;
  for (let i = 0; i < sections.length; i++) {
    const section = sections[i];
    if (section === undefined) break;
    separate(out);
    if (section.source !== source) {
      source = section.source;
      out.push(comment(source.path));
    }
    const { name } = section;
    out.push(name === type || name === 'Quadlet' ? `[X-${name}]` : `[${name}]`);
    if (i === firstUnit) added(out, draft.head);
    body(out, section);
    if (i === lastUnit) added(out, draft.tail);
    if (i === lastService) added(out, draft.lines);
  }
  if (firstUnit < 0) addSection(out, 'Unit', [...draft.head, ...draft.tail]);
  if (lastService < 0) addSection(out, 'Service', draft.lines);
  out.push('');
  return out.join('\n');
}

/** Comments in front of the first header. */
function preamble(out: Bytes[], { source, sections }: Document): void {
  const first = sections[0];
  if (first?.at === 0) return;
  if (first !== undefined && first.from >= 0 && first.source === source) {
    out.push(source.text.slice(0, first.from - first.name.length - '\n[]\n'.length));
    return;
  }
  const clean = cleanLinesOf(source);
  const end = first?.at ?? clean.length;
  if (end > 0) pushLines(out, clean, 0, end);
}

/** Lines of a section without its header and without empty lines at its end. */
function body(out: Bytes[], section: Section): void {
  if (section.from >= 0 && section.changed === undefined) {
    if (section.to > section.from) out.push(section.source.text.slice(section.from, section.to));
    return;
  }
  const clean = cleanLinesOf(section.source);
  let end = section.end;
  while (end > section.at + 1 && clean[end - 1] === '') end--;
  let from = section.at + 1;
  if (section.changed !== undefined) {
    for (const entry of section.entries) {
      const text = section.changed.get(entry);
      if (text === undefined) continue;
      pushLines(out, clean, from, entry.at);
      if (text !== '') out.push(text);
      from = endOf(entry);
    }
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
  const last = out.length === 0 ? '' : (out[out.length - 1] ?? '');
  if (last !== '' && last.charCodeAt(last.length - 1) !== 10) out.push('');
}
