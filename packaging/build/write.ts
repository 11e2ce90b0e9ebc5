import { readFileSync, writeFileSync } from 'node:fs';

/** Writes a file only when its content differs: the time stamp then says when the content changed. */
export function writeIfChanged(path: string, content: string): void {
  let old: string | undefined;
  try {
    old = readFileSync(path, 'utf8');
  } catch {
    old = undefined;
  }
  if (old !== content) writeFileSync(path, content);
}
