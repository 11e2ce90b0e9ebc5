/**
 * Questions about text that every value of every unit file is asked. The native program answers them in C (native/host-text.c): the same in QuickJS
 * costs ten to a hundred times more. Each has a script that gives the same answer and is all there is elsewhere; tests compare the two.
 */
export interface NativeText {
  /** src/base/kinds.ts */
  readonly textKinds?: (text: string) => number;
  /** src/base/hash.ts */
  readonly textHash?: (text: string) => string;
  /** Words of a value, when neither a backslash nor an open quote is in it; src/unit/values.ts. */
  readonly textWords?: (text: string) => string[] | undefined;
  /** The text of an Exec line, when no word needs an escape; src/unit/write.ts. */
  readonly textExecLine?: (words: readonly string[]) => string | undefined;
}

export const nativeText: NativeText = (globalThis as { readonly berth?: NativeText }).berth ?? {};
