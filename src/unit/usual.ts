import type { Bytes, UnitCut } from '../host/host.ts';
import type { Document, Section, Source } from './document.ts';

/** The document of a file that the host has cut: nothing in it needs a closer look, so it has no problems. */
export function documentOfCut(path: Bytes, { text, words, numbers }: UnitCut): Document {
  const closed = text.charCodeAt(text.length - 1) === 10;
  const source: Source = { path, text, lines: undefined, clean: undefined, closed, bom: false, returns: undefined };
  const sections: Section[] = [];
  const all = numbers.length;
  let word = 0;
  for (let i = 0; i < all;) {
    const entries: Section['entries'] = [];
    const section: Section = {
      name: words[word++] ?? '',
      source,
      at: numbers[i] ?? 0,
      end: numbers[i + 1] ?? 0,
      from: numbers[i + 2] ?? 0,
      to: numbers[i + 3] ?? 0,
      entries,
    };
    sections[sections.length] = section;
    const count = numbers[i + 4] ?? 0;
    i += PER_SECTION;
    for (let k = 0; k < count; k++) {
      entries[k] = { key: words[word++] ?? '', value: words[word++] ?? '', section, at: numbers[i++] ?? 0 };
    }
  }
  return { source, sections, problems: [] };
}

const PER_SECTION = 5;
