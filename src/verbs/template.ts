import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { printable } from './command-line.ts';

export type Fill = (template: string, value: unknown) => string;

/**
 * `{{.A.B}}`, `{{json .A}}` and `{{.}}` of a nested value, with `\t` and `\n`; lists and objects are shown as Go shows them. What a template has
 * beyond that (`range`, `if`, `index`, …) `fill` does: Node's half (go-template-fill.ts), which who is in it gives himself.
 */
export function walkTemplate(host: Host, template: string, value: unknown, fill: Fill = byNode(host)): string {
  requireField(template);
  if (!isPlain(template)) return fill(template, value);
  const text = template.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  return text.replace(/\{\{(.*?)\}\}/g, (_whole, inner: string) => {
    const words = inner.trim().split(/\s+/);
    const [path = ''] = words.slice(-1);
    const found = walk(value, path);
    return words.length > 1 ? JSON.stringify(found) : shown(found);
  });
}

/** A template that names no field, such as a misspelt `json`, would print the same line for everything, or for nothing at all. */
export function requireField(template: string): void {
  const rest = template.replace(/\{\{.*?\}\}/g, '');
  if (rest !== template && !rest.includes('{{')) return;
  throw new Failure(125, `--format ${template}: not a template; write json, or fields such as '{{.ID}}'`);
}

/** Fields, and `json` of them: no more of the language is needed. */
export function isPlain(template: string): boolean {
  const actions = [...template.matchAll(/\{\{(.*?)\}\}/gs)].map(match => (match[1] ?? '').trim());
  return actions.every(action => /^(json\s+)?\.\S*$/.test(action));
}

/** A value as Go's templates print it: `[a b]`, `map[key:value]` in the order of the keys. Controls become text (T28). */
export function shown(value: unknown): string {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`;
  if (value === null || value === undefined) return '<nil>';
  if (typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, one]) => `${printable(key)}:${shown(one)}`).join(' ')}]`;
}

function walk(value: unknown, path: string): unknown {
  let at = value;
  for (const name of path.slice(1).split('.')) {
    if (name === '') continue;
    const next = typeof at === 'object' && at !== null ? fieldOf(at as Record<string, unknown>, name) : undefined;
    if (next === undefined) throw new Failure(125, `--format {{${path}}}: no such field`);
    at = next;
  }
  return at;
}

/**
 * Templates name fields as the peer's program does: what is `dns_enabled` in JSON is `.DNSEnabled` there. Undefined: there is no such field.
 */
export function fieldOf(value: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(value, name)) return value[name];
  const letters = name.toLowerCase();
  const key = Object.keys(value).find(one => one.replaceAll('_', '').toLowerCase() === letters);
  return key === undefined ? undefined : value[key];
}

export function byNode(host: Host): Fill {
  return (template, value) => {
    const argv = [host.readlink('/proc/self/exe'), 'fill-template', '--', template];
    const streams = { stdout: 'capture', stderr: 'capture' } as const;
    const environment = host.environmentList();
    const { status, stdout, stderr } = host.run({ argv, environment, input: JSON.stringify(value), ...streams });
    if (status !== 0) throw new Failure(125, stderr.trim().replace(/^berth: /, ''));
    return stdout;
  };
}
