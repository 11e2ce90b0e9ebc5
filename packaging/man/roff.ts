/** man(7) source from plain text: one place that escapes. */
export interface Page {
  readonly name: string;
  readonly section: number;
  /** NAME line. */
  readonly purpose: string;
  readonly parts: readonly Part[];
}

/** A section of a page. Text lines become paragraphs; `- TERM | text` lines become tagged paragraphs; lines of two blanks are verbatim. */
export interface Part {
  readonly title: string;
  readonly lines: readonly string[];
}

export function roff(page: Page, version: string): string {
  const head = `.TH "${page.name.toUpperCase()}" "${page.section}" "" "Berth ${version}" "Berth"`;
  const parts = [{ title: 'NAME', lines: [`${page.name} - ${page.purpose}`] }, ...page.parts];
  return `${[head, '.nh', '.ad l', ...parts.flatMap(partLines)].join('\n')}\n`;
}

function partLines(part: Part): string[] {
  return [`.SH "${part.title}"`, ...part.lines.flatMap(line)];
}

function line(text: string): string[] {
  if (text === '') return ['.PP'];
  if (text.startsWith('== ')) return [`.SS "${escape(text.slice(3))}"`];
  if (text.startsWith('  ')) return ['.nf', escape(text), '.fi'];
  const [, term, rest] = /^- (.+?) \| (.*)$/.exec(text) ?? [];
  if (term === undefined || rest === undefined) return [escape(text)];
  return ['.TP', `.B ${escape(term)}`, escape(rest)];
}

/** groff_char(7): backslash, hyphen-minus and quotes as they are typed; a dot or an apostrophe must not begin a line. */
function escape(text: string): string {
  const plain = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('`', '\\(ga');
  return /^[.']/.test(plain) ? `\\&${plain}` : plain;
}
