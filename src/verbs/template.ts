import { Failure } from '../run/failure.ts';
import { printable } from './command-line.ts';
import { requireField } from './format.ts';

/** `{{.A.B}}`, `{{json .A}}` and `{{.}}` of a nested value, with `\t` and `\n`; objects and lists are shown as JSON. */
export function walkTemplate(template: string, value: unknown): string {
  requireField(template);
  const text = template.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  return text.replace(/\{\{(.*?)\}\}/g, (_whole, inner: string) => {
    const words = inner.trim().split(/\s+/);
    const [path = ''] = words.slice(-1);
    const json = words.length === 2 && words[0] === 'json';
    if (!path.startsWith('.') || (words.length > 1 && !json)) {
      throw new Failure(125, `--format {{${inner}}}: only {{.FIELD}} and {{json .FIELD}} are understood`);
    }
    const found = walk(value, path);
    return json || typeof found !== 'string' ? JSON.stringify(found) : printable(found);
  });
}

function walk(value: unknown, path: string): unknown {
  let at = value;
  for (const name of path.slice(1).split('.')) {
    if (name === '') continue;
    const next = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined;
    if (next === undefined) throw new Failure(125, `--format {{${path}}}: no such field`);
    at = next;
  }
  return at;
}
