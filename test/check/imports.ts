import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** One import or re-export. `target` is a path from the top of the project, or a package's name. */
export interface Import {
  readonly file: string;
  readonly line: number;
  readonly target: string;
  readonly local: boolean;
}

const STATEMENT =
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

/** Every import of every .ts file below the given directories, in order of file and line. */
export function importsBelow(...directories: readonly string[]): readonly Import[] {
  return directories.flatMap(sources).flatMap(importsOf);
}

/** The .ts files below a directory, sorted. */
export function sources(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(directory, name))
    .sort();
}

export function importsOf(file: string): readonly Import[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(STATEMENT)].map(match => {
    const wanted = match[1] ?? match[2] ?? match[3] ?? '';
    const local = wanted.startsWith('.');
    return {
      file,
      line: text.slice(0, match.index + match[0].length).split('\n').length,
      target: local ? normalize(join(dirname(file), wanted)) : wanted,
      local,
    };
  });
}
