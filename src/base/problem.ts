/**
 * A problem is a value with a place: what people read is made once, at the edge, by `describe`.
 *
 * `message` is lower case, has no full stop and names the key or path; `hint` says what to do.
 * `line` and `column` count from 1; column counts bytes of the source line.
 */
export interface Problem {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly key?: string;
  readonly hint?: string;
}

/** Makes an error. */
export function problem(code: string, message: string, place: Partial<Problem> = {}): Problem {
  return { severity: 'error', ...place, code, message };
}

/** `FILE:LINE:COLUMN: MESSAGE; HINT`, with the parts that are known. One line, never more. */
export function describe(p: Problem): string {
  const place = [p.file, p.line, p.column].filter(part => part !== undefined).join(':');
  const head = place === '' ? '' : `${place}: `;
  return `${head}${p.message}${p.hint === undefined ? '' : `; ${p.hint}`}`;
}
