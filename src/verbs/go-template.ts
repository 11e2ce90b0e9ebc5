import { Failure } from '../run/failure.ts';

/**
 * The peer's template language (Go's text/template) as far as scripts use it with `--format`: this file reads a template, go-template-fill.ts
 * fills it.
 */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'show'; readonly pipe: Pipe }
  | { readonly kind: 'if' | 'with' | 'range'; readonly pipe: Pipe; readonly body: Node[]; readonly otherwise: Node[] };

/** `$a, $b := first | second …` */
export interface Pipe {
  readonly variables: readonly string[];
  readonly commands: readonly Command[];
}

/** A function or a value, and what it is given. */
export type Command = readonly Operand[];

export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'name'; readonly name: string }
  /** `.A.B` (from: the dot), `$x.A`, `(…).A`. */
  | { readonly kind: 'path'; readonly from: string | Pipe; readonly path: readonly string[] };

/** A Failure that names the action where it is none. */
export function readTemplate(template: string): Node[] {
  const parts = split(template);
  const reader = { parts, at: 0 };
  const [nodes, end] = readNodes(reader);
  if (end !== '') throw bad(end, 'without a beginning');
  return nodes;
}

export function bad(action: string, why: string): Failure {
  return new Failure(125, `--format {{${action}}}: ${why}`);
}

interface Part {
  readonly action: boolean;
  readonly text: string;
}

interface Reader {
  readonly parts: readonly Part[];
  at: number;
}

/** Text and actions; `{{-` and `-}}` take the blanks beside them away, and a comment is nothing. */
function split(template: string): Part[] {
  const parts: Part[] = [];
  const pattern = /\{\{(- )?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^"`])*?)( -)?\}\}/gs;
  let from = 0;
  let trim = false;
  const add = (text: string, before: boolean): void => {
    const left = trim ? text.trimStart() : text;
    parts.push({ action: false, text: before ? left.trimEnd() : left });
  };
  for (const match of template.matchAll(pattern)) {
    add(template.slice(from, match.index), match[1] !== undefined);
    const inner = (match[2] ?? '').trim();
    if (!inner.startsWith('/*')) parts.push({ action: true, text: inner });
    trim = match[3] !== undefined;
    from = match.index + match[0].length;
  }
  add(template.slice(from), false);
  if (template.slice(from).includes('{{')) throw new Failure(125, `--format ${template}: an action has no end`);
  // What is written in a shell's quotes has no real tabs and line ends; those within an action's strings are read there.
  return parts.map(part =>
    part.action ? part : { ...part, text: part.text.replaceAll('\\t', '\t').replaceAll('\\n', '\n') },
  );
}

/** Up to an `end` or `else` of somebody above, which is the second of the result; '' at the end of all. */
function readNodes(reader: Reader): [Node[], string] {
  const nodes: Node[] = [];
  for (let part = reader.parts[reader.at]; part !== undefined; part = reader.parts[reader.at]) {
    reader.at++;
    if (!part.action) {
      if (part.text !== '') nodes.push({ kind: 'text', text: part.text });
      continue;
    }
    const [, word = '', rest = ''] = /^(\w*)\s*(.*)$/s.exec(part.text) ?? [];
    if (word === 'end' || word === 'else') return [nodes, part.text];
    if (word === 'if' || word === 'with' || word === 'range') nodes.push(readBlock(reader, word, rest));
    else nodes.push({ kind: 'show', pipe: readPipe(part.text) });
  }
  return [nodes, ''];
}

function readBlock(reader: Reader, kind: 'if' | 'with' | 'range', text: string): Node {
  const pipe = readPipe(text);
  const [body, end] = readNodes(reader);
  let otherwise: Node[] = [];
  const [, more = ''] = /^else\s+if\s+(.*)$/s.exec(end) ?? [];
  if (more !== '') otherwise = [readBlock(reader, 'if', more)];
  else if (end === 'else') {
    const [nodes, last] = readNodes(reader);
    if (last !== 'end') throw bad(`${kind} ${text}`, 'has no {{end}}');
    otherwise = nodes;
  } else if (end !== 'end') throw bad(`${kind} ${text}`, 'has no {{end}}');
  return { kind, pipe, body, otherwise };
}

interface Words {
  /** For messages. */
  readonly action: string;
  readonly words: readonly string[];
  at: number;
}

const WORD =
  /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|:=|[(),|]|-?\d+(?:\.\d+)?|\$?[\p{L}_][\p{L}\p{N}_]*|\$|\.[\p{L}\p{N}_-]*|\S)/uy;

function readPipe(action: string): Pipe {
  const words: string[] = [];
  WORD.lastIndex = 0;
  // A blank before a field begins another operand, none goes on with the one before: `index .A .B`, `$x.A`.
  for (let match = WORD.exec(action.trimEnd()); match !== null; match = WORD.exec(action.trimEnd())) {
    const word = match[1] ?? '';
    const goesOn = word.startsWith('.') && match[0] === word && /[\w)$]$/.test(words[words.length - 1] ?? '');
    words.push(goesOn ? `+${word}` : word);
  }
  const reader = { action, words, at: 0 };
  const pipe = pipeOf(reader);
  if (reader.at < words.length) throw bad(action, `${words[reader.at] ?? ''} is not understood here`);
  return pipe;
}

function pipeOf(reader: Words): Pipe {
  const variables: string[] = [];
  const sign = reader.words.indexOf(':=');
  if (sign > reader.at && reader.words[reader.at]?.startsWith('$') === true) {
    variables.push(...reader.words.slice(reader.at, sign).filter(word => word !== ','));
    reader.at = sign + 1;
  }
  const commands: Command[] = [commandOf(reader)];
  while (reader.words[reader.at] === '|') {
    reader.at++;
    commands.push(commandOf(reader));
  }
  return { variables, commands };
}

function commandOf(reader: Words): Command {
  const operands: Operand[] = [];
  for (let word = reader.words[reader.at]; word !== undefined && word !== '|' && word !== ')';) {
    operands.push(operandOf(reader, word));
    word = reader.words[reader.at];
  }
  if (operands.length === 0) throw bad(reader.action, 'something is missing');
  return operands;
}

function operandOf(reader: Words, word: string): Operand {
  reader.at++;
  if (word === '(') {
    const from = pipeOf(reader);
    if (reader.words[reader.at] !== ')') throw bad(reader.action, 'a ) is missing');
    reader.at++;
    return { kind: 'path', from, path: restOf(reader) };
  }
  if (word.startsWith('.'))
    return { kind: 'path', from: '.', path: [...(word === '.' ? [] : [word.slice(1)]), ...restOf(reader)] };
  if (word.startsWith('$')) return { kind: 'path', from: word, path: restOf(reader) };
  if (/^-?\d/.test(word)) return { kind: 'literal', value: Number(word) };
  if (word.startsWith('`')) return { kind: 'literal', value: word.slice(1, -1) };
  if (word.startsWith('"')) return { kind: 'literal', value: stringOf(reader.action, word) };
  if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
  if (word === 'nil') return { kind: 'literal', value: null };
  if (/^\w+$/.test(word)) return { kind: 'name', name: word };
  throw bad(reader.action, `${word} is not understood`);
}

function restOf(reader: Words): string[] {
  const path: string[] = [];
  for (let word = reader.words[reader.at]; word?.startsWith('+.') === true; word = reader.words[++reader.at])
    path.push(word.slice(2));
  return path;
}

function stringOf(action: string, word: string): string {
  try {
    return JSON.parse(word.replaceAll('\t', '\\t')) as string;
  } catch {
    throw bad(action, `${word} is not a string`);
  }
}
