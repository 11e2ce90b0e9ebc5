import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Bytes } from '../host/host.ts';
import { strip } from './strip.ts';
import { UNIT_TYPES } from './names.ts';

/** A unit file inside a `.quadlets` file. */
export interface Part {
  readonly name: Bytes;
  readonly text: Bytes;
  /** Its first line in the file, from 1. */
  readonly line: number;
}

/**
 * Cuts a `.quadlets` file at lines of `---`: each part has a comment `# FileName=STEM` and takes its type from its first section header that is one.
 * Empty parts are skipped; a part that cannot be named is a problem, and nothing is installed then.
 */
export function parseQuadlets(path: Bytes, text: Bytes): Result<Part[], Problem[]> {
  const parts: Part[] = [];
  const problems: Problem[] = [];
  let line = 1;
  // A byte order mark, as some editors write it.
  for (const lines of pieces(text.replace(/^\xef\xbb\xbf/, ''))) {
    const start = line;
    line += lines.length + 1;
    if (lines.every(one => strip(one) === '')) continue;
    const name = nameOf(lines);
    if (typeof name !== 'string') problems.push({ ...name, file: path, line: start });
    else if (parts.some(part => part.name === name)) {
      problems.push(
        problem('quadlets', `two parts are called ${name}`, { file: path, line: start, hint: 'rename one' }),
      );
    } else parts.push({ name, text: `${lines.join('\n').replace(/\n+$/, '')}\n`, line: start });
  }
  if (parts.length + problems.length === 0) {
    problems.push(
      problem('quadlets', 'the file has no unit in it', { file: path, hint: 'write a section such as [Container]' }),
    );
  }
  return problems.length > 0 ? err(problems) : ok(parts);
}

function pieces(text: Bytes): Bytes[][] {
  const all: Bytes[][] = [[]];
  for (const line of text.split('\n')) {
    if (strip(line) === '---') all.push([]);
    else all.at(-1)?.push(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
  return all;
}

function nameOf(lines: readonly Bytes[]): Bytes | Problem {
  let stem: Bytes | undefined;
  let type: string | undefined;
  for (const line of lines.map(strip)) {
    const found = /^#\s*FileName=(.*)$/.exec(line);
    if (found !== null) stem ??= strip(found[1] ?? '');
    const header = /^\[(.*)\]$/.exec(line)?.[1]?.toLowerCase();
    if (header !== undefined && type === undefined) type = UNIT_TYPES.find(one => one === header);
  }
  if (stem === undefined || stem === '')
    return problem('quadlets', 'a part has no name', { hint: 'write # FileName=NAME in it' });
  if (/[/\\.]/.test(stem) || /[\x00-\x20]/.test(stem)) {
    return problem('quadlets', `FileName=${stem} is no name of a file`, {
      hint: 'write it without directory and extension',
    });
  }
  if (type === undefined)
    return problem('quadlets', `the part ${stem} has no section of a unit type`, {
      hint: 'write a section such as [Container]',
    });
  return `${stem}.${type}`;
}
