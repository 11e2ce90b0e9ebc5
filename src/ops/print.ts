import type { Bytes } from '../host/host.ts';
import type { Op } from './ops.ts';

/**
 * The list for people (`--print-ops`): one operation a line, its fields after it. Fields with blanks, quotes or control characters are
 * quoted as in C; a filter is told by its length.
 */
export function printOps(ops: readonly Op[]): string {
  return ops.map(one => `${line(one)}\n`).join('');
}

function line(one: Op): string {
  if (one.name === 'seccomp') {
    const [program = '', flags = ''] = one.fields;
    return `seccomp (${String(countInstructions(program))} instructions)${flags === '' ? '' : ` ${flags}`}`;
  }
  return [one.name, ...one.fields.map(quote)].join(' ');
}

/** Eight bytes each; an escaped byte is written as two. */
function countInstructions(program: Bytes): number {
  return program.replaceAll('\x01\x01', '.').replaceAll('\x01\x02', '.').length / 8;
}

function quote(field: Bytes): string {
  if (field === '') return "''";
  if (!/[^!#-&(-[\]-~]/.test(field)) return field;
  let text = "'";
  for (const character of field) {
    const code = character.charCodeAt(0);
    if (character === "'" || character === '\\') text += `\\${character}`;
    else if (code === 10) text += '\\n';
    else if (code === 9) text += '\\t';
    else if (code < 32 || code > 126) text += `\\x${code.toString(16).padStart(2, '0')}`;
    else text += character;
  }
  return `${text}'`;
}
