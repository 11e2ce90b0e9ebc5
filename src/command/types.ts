import type { Bytes } from '../host/host.ts';

export type OptionKind = 'flag' | 'string' | 'integer' | 'duration' | 'size' | 'list' | 'words';

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
  readonly kind: OptionKind;
  /** Name of the value in help, e.g. `KEY=VALUE`. */
  readonly value?: string;
  readonly help: string;
  /** The value that the option has when it stands alone; other values need `--name=VALUE`. */
  readonly alone?: string;
  /** The values that there are. */
  readonly choices?: readonly string[];
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
  /** Fewest and most operands; no `most`: any number. */
  readonly least: number;
  readonly most?: number;
  /** Owned by the native program; otherwise Node's cli.cjs. */
  readonly native: boolean;
  /** The native program that serves it, where several verbs share one; otherwise its name with dashes. */
  readonly program?: string;
  /** Not for people: absent from `help`. */
  readonly hidden?: boolean;
}

/** An option as it stood on the command line: order and repetition are kept. */
export interface OptionUse {
  readonly name: string;
  /** Flags: `true` or `false`. */
  readonly value: Bytes;
  /**
   * How it is written. Absent: `--name value`; joined: `--name=value`; flag: `--name`, for true.
   * With `letter`: `-L value`, or `-L` for a flag.
   */
  readonly form?: 'joined' | 'flag';
  readonly letter?: string;
}

/** A command line as a value: the generator renders it, the command line parses it, kube and API build it. */
export interface Command {
  readonly globals: readonly OptionUse[];
  /** Words of GlobalArgs=, written as they are behind `globals`. The parser makes none. */
  readonly globalWords?: readonly Bytes[];
  readonly verb: string;
  readonly options: readonly OptionUse[];
  /** Words of PodmanArgs=, written as they are behind `options`. The parser makes none. */
  readonly optionWords?: readonly Bytes[];
  readonly operands: readonly Bytes[];
}
