import type { OptionKind, OptionRow, VerbRow } from './types.ts';

type More = Omit<Partial<OptionRow>, 'name' | 'kind' | 'value' | 'help'>;

/** Makers of table rows: the tables stay one line per option. */
export function flag(name: string, help: string, more?: More): OptionRow {
  return { name, kind: 'flag', help, ...more };
}

export function text(name: string, value: string, help: string, more?: More): OptionRow {
  return row(name, 'string', value, help, more);
}

export function integer(name: string, value: string, help: string, more?: More): OptionRow {
  return row(name, 'integer', value, help, more);
}

export function duration(name: string, value: string, help: string, more?: More): OptionRow {
  return row(name, 'duration', value, help, more);
}

export function size(name: string, value: string, help: string, more?: More): OptionRow {
  return row(name, 'size', value, help, more);
}

export function list(name: string, value: string, help: string, more?: More): OptionRow {
  return row(name, 'list', value, help, more);
}

export function words(name: string, value: string, help: string, more?: More): OptionRow {
  return row(name, 'words', value, help, more);
}

function row(name: string, kind: OptionKind, value: string, help: string, more?: More): OptionRow {
  return { name, kind, value, help, ...more };
}

/** A verb of the native program. */
export function native(
  name: string,
  operands: string,
  help: string,
  options: readonly OptionRow[],
  more?: Partial<VerbRow>,
): VerbRow {
  return { name, operands, help, options, stopAtOperand: false, least: 0, native: true, ...more };
}

/** A verb of Node's program. */
export function hosted(
  name: string,
  operands: string,
  help: string,
  options: readonly OptionRow[],
  more?: Partial<VerbRow>,
): VerbRow {
  return { name, operands, help, options, stopAtOperand: false, least: 0, native: false, ...more };
}
