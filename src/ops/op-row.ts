/** One row of the table of operations (ops.ts). */
export interface OpRow {
  readonly name: string;
  readonly fields: readonly string[];
  /** The last field may be repeated 0..n times. */
  readonly rest?: boolean;
  /** What it does; the C file has the same sentence. */
  readonly help: string;
}
