import { fieldOf, shown as goText } from './template.ts';
import { bad, readTemplate, type Command, type Node, type Operand, type Pipe } from './go-template.ts';

/**
 * A template with the fields of `value`: fields, variables, `if`, `with`, `range`, pipelines, and the functions below (Go's text/template and
 * those of podman-inspect(1)). A field that is not there is an error where it is shown and nothing where it is asked for (`if`, `with`, `or`, …).
 * Objects and lists are shown as Go shows them, and controls of the values as text (T28).
 */
export function fillGoTemplate(template: string, value: unknown): string {
  return fillAll(readTemplate(template), { dot: value, variables: new Map([['$', value]]) });
}

interface Scope {
  readonly dot: unknown;
  readonly variables: Map<string, unknown>;
}

/** What a field that is not there gives; it names itself. */
class Missing {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

function fillAll(nodes: readonly Node[], scope: Scope): string {
  return nodes.map(node => fill(node, scope)).join('');
}

function fill(node: Node, scope: Scope): string {
  if (node.kind === 'text') return node.text;
  const value = valueOf(node.pipe, scope);
  const [first, second] = node.pipe.variables;
  if (node.kind === 'show') {
    const [[literal] = []] = node.pipe.commands;
    if (first === undefined) return literal?.kind === 'literal' ? plain(value) : shown(value);
    scope.variables.set(first, value);
    return '';
  }
  const inner = new Map(scope.variables);
  if (node.kind === 'range') {
    const entries = entriesOf(value);
    if (entries.length === 0) return fillAll(node.otherwise, scope);
    return entries
      .map(([key, one]) => {
        const names = second === undefined ? [[first, one] as const] : [[first, key] as const, [second, one] as const];
        for (const [name, each] of names) if (name !== undefined) inner.set(name, each);
        return fillAll(node.body, { dot: one, variables: inner });
      })
      .join('');
  }
  if (!isTrue(value)) return fillAll(node.otherwise, scope);
  if (first !== undefined) inner.set(first, value);
  return fillAll(node.body, { dot: node.kind === 'with' ? value : scope.dot, variables: inner });
}

/** Of an object in the order of its keys, as Go has it. */
function entriesOf(value: unknown): (readonly [unknown, unknown])[] {
  if (Array.isArray(value)) return value.map((one, index) => [index, one as unknown] as const);
  if (typeof value === 'number') return Array.from({ length: value }, (_, index) => [index, index] as const);
  if (isObject(value)) return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  if (value instanceof Missing || value === null) return [];
  throw bad('range', `${shown(value)} is neither a list nor an object`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Missing);
}

function isTrue(value: unknown): boolean {
  if (value instanceof Missing || value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  return isObject(value) ? Object.keys(value).length > 0 : Boolean(value);
}

function valueOf({ commands }: Pipe, scope: Scope): unknown {
  let value: unknown;
  for (const [index, command] of commands.entries()) value = run(command, scope, index === 0 ? [] : [value]);
  return value;
}

function run(command: Command, scope: Scope, last: readonly unknown[]): unknown {
  const [head, ...rest] = command;
  if (head?.kind !== 'name') {
    if (head?.kind === 'path' && head.path.at(-1) === 'Label' && rest.length === 1) return labelOf(head, rest, scope);
    if (rest.length > 0 || last.length > 0) throw bad(nameOf(head), 'is given something, and is no function');
    return head === undefined ? null : operand(head, scope);
  }
  const call = FUNCTIONS[head.name];
  if (call === undefined)
    throw bad(head.name, `no such function; there are ${Object.keys(FUNCTIONS).join(', ')}, if, with and range`);
  const values = [...rest.map(one => operand(one, scope)), ...last];
  if (!LENIENT.has(head.name)) for (const value of values) present(value);
  return call(values);
}

/** `.Label "KEY"`, the one method that the peer's lists have. */
function labelOf(head: Operand & { kind: 'path' }, [key]: readonly Operand[], scope: Scope): unknown {
  const labels = operand({ ...head, path: [...head.path.slice(0, -1), 'Labels'] }, scope);
  return indexed(labels, key === undefined ? '' : operand(key, scope));
}

function nameOf(head: Operand | undefined): string {
  return head?.kind === 'path' && typeof head.from === 'string' ? `${head.from}${head.path.join('.')}` : 'value';
}

function operand(one: Operand, scope: Scope): unknown {
  if (one.kind === 'literal') return one.value;
  if (one.kind === 'name') return run([one], scope, []);
  let at =
    one.from === '.' ? scope.dot : typeof one.from === 'string' ? variable(one.from, scope) : valueOf(one.from, scope);
  for (const name of one.path) {
    const next = isObject(at) ? fieldOf(at, name) : undefined;
    at = next === undefined ? new Missing(at instanceof Missing ? at.name : name) : next;
  }
  return at;
}

function variable(name: string, { variables }: Scope): unknown {
  if (!variables.has(name)) throw bad(name, 'no such variable');
  return variables.get(name);
}

function present(value: unknown): unknown {
  if (value instanceof Missing) throw bad(`.${value.name}`, 'no such field');
  return value;
}

function shown(value: unknown): string {
  present(value);
  if (value instanceof Text) return value.text;
  return goText(value);
}

/** What `println` made: its line's end is meant, and what it shows was made printable. */
class Text {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : shown(value));

/** These take what is not there for nothing. */
const LENIENT: ReadonlySet<string> = new Set(['and', 'or', 'not', 'eq', 'ne', 'index']);

type Call = (values: readonly unknown[]) => unknown;

const compared =
  (holds: (a: number | string, b: number | string) => boolean): Call =>
  ([a, b]) =>
    holds(a as number, b as number);
const texted =
  (change: (text: string) => string): Call =>
  ([value]) =>
    value instanceof Text ? new Text(change(value.text)) : change(plain(value));

const FUNCTIONS: Readonly<Record<string, Call>> = {
  json: ([value]) => new Text(JSON.stringify(value)),
  index: ([value, ...keys]) => keys.reduce(indexed, value),
  len: ([value]) => (isObject(value) ? Object.keys(value).length : String(value).length),
  eq: ([a, ...others]) => others.some(other => (a instanceof Missing ? null : a) === other),
  ne: ([a, b]) => a !== b,
  lt: compared((a, b) => a < b),
  le: compared((a, b) => a <= b),
  gt: compared((a, b) => a > b),
  ge: compared((a, b) => a >= b),
  and: values => values.find(value => !isTrue(value)) ?? values[values.length - 1],
  or: values => values.find(isTrue) ?? values[values.length - 1],
  not: ([value]) => !isTrue(value),
  print: values => new Text(sprint(values)),
  println: values => new Text(`${values.map(shown).join(' ')}\n`),
  printf: ([format, ...values]) => new Text(printed(plain(format), values)),
  join: ([list, between]) => (Array.isArray(list) ? new Text(list.map(shown).join(plain(between))) : list),
  split: ([text, between]) => plain(text).split(plain(between)),
  upper: texted(text => text.toUpperCase()),
  lower: texted(text => text.toLowerCase()),
  title: texted(text => text.charAt(0).toUpperCase() + text.slice(1)),
  truncate: ([text, most]) => plain(text).slice(0, Number(most)),
  pad: ([text, before, after]) => ' '.repeat(Number(before)) + plain(text) + ' '.repeat(Number(after)),
};

/** Go's Sprint: a blank between two of which neither is a string. */
function sprint(values: readonly unknown[]): string {
  const isText = (value: unknown): boolean => typeof value === 'string' || value instanceof Text;
  return values
    .map((value, index) => (index > 0 && !isText(value) && !isText(values[index - 1]) ? ' ' : '') + shown(value))
    .join('');
}

/** A key that is not there gives nothing, as Go's maps do; a place that a list has not is an error. */
function indexed(value: unknown, key: unknown): unknown {
  present(value);
  if (Array.isArray(value)) {
    if (typeof key !== 'number' || key < 0 || key >= value.length)
      throw bad(`index … ${shown(key)}`, `the list has ${value.length} entries`);
    return value[key] as unknown;
  }
  if (!isObject(value)) throw bad('index', 'neither a list nor an object');
  return value[plain(key)] ?? '';
}

function printed(format: string, values: readonly unknown[]): string {
  let next = 0;
  return format.replace(/%(-?)(\d*)([sdvqt%])/g, (_whole, left: string, width: string, kind: string) => {
    if (kind === '%') return '%';
    const value = values[next++] ?? '';
    const text = kind === 'q' ? JSON.stringify(plain(value)) : shown(value);
    return left === '' ? text.padStart(Number(width)) : text.padEnd(Number(width));
  });
}
