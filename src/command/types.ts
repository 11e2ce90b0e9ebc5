import type { Bytes } from '../host/host.ts';

/**
 * A row of an option table: the one source for parser, renderer, help, manual and completions.
 *
 * `kind`: `flag` takes no value, or `=true|false`; `string` and `integer`, `duration`, `size` take one value, the last one counts;
 * `list` may be repeated, order is kept; `words` is a comma-separated list that may be repeated.
 */
export interface OptionRow {
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  readonly aliases?: readonly string[];
  readonly kind: 'flag' | 'string' | 'integer' | 'duration' | 'size' | 'list' | 'words';
  /** Name of the value in help, e.g. `KEY=VALUE`. */
  readonly value?: string;
  readonly help: string;
  /** What the peer has and Berth refuses by name: the reason and what to do instead. */
  readonly refused?: string;
}

/** A verb's grammar. */
export interface VerbRow {
  /** `run`, or two words: `pod create`. */
  readonly name: string;
  readonly operands: string;
  readonly help: string;
  readonly options: readonly OptionRow[];
  /** Options end at the first operand (run, exec). */
  readonly stopAtOperand: boolean;
  /** Owned by the native program; otherwise Node's cli.mjs. */
  readonly native: boolean;
}

/** An option as it stood on the command line: order and repetition are kept. */
export interface OptionUse {
  readonly name: string;
  /** Flags: `true` or `false`. */
  readonly value: Bytes;
}

/** A command line as a value: the generator renders it, the command line parses it, kube and API build it. */
export interface Command {
  readonly globals: readonly OptionUse[];
  readonly verb: string;
  readonly options: readonly OptionUse[];
  readonly operands: readonly Bytes[];
}
