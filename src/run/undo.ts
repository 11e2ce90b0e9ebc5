/**
 * What a start has made, so that a failed one can take it back in reverse order.
 * Taking back goes on after an error and reports all of them.
 */
export interface Undo {
  /** `what` names the thing in an error line. */
  add(what: string, step: () => void): void;
  /** The start is complete: nothing is taken back any more. */
  forget(): void;
  /** Takes all back, last made first; one line for each that could not be. */
  run(): string[];
}

export function makeUndo(): Undo {
  let steps: { what: string; step: () => void }[] = [];
  return {
    add(what, step) {
      steps.push({ what, step });
    },
    forget() {
      steps = [];
    },
    run() {
      const lines: string[] = [];
      for (let next = steps.pop(); next !== undefined; next = steps.pop()) {
        try {
          next.step();
        } catch (error) {
          lines.push(`${next.what}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      return lines;
    },
  };
}
