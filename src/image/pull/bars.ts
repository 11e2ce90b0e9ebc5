import type { Host } from '../../host/host.ts';
import { amountText } from './status.ts';

/** Lines on standard error that are drawn again in their place. */
export interface LiveLines {
  /** In place of those from before. */
  draw(lines: readonly string[]): void;
  clear(): void;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** A terminal that does not know its size says 0. Node hears of each change. */
export function terminalSize(): TerminalSize {
  const { rows, columns } = process.stderr;
  return { rows: rows > 0 ? rows : 24, columns: columns > 0 ? columns : 80 };
}

/** No line is longer than a row nor are there more than rows: what scrolls away cannot be drawn again. The last one stays. */
export function liveLines(host: Host, size: () => TerminalSize): LiveLines {
  let drawn: readonly number[] = [];
  const clear = (): void => {
    const { columns } = size();
    // A terminal that was made narrower meanwhile has wrapped them.
    const rows = drawn.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / columns)), 0);
    if (rows > 0) host.write(2, `\x1b[${rows}A\x1b[J`);
    drawn = [];
  };
  return {
    clear,
    draw(lines) {
      clear();
      const { rows, columns } = size();
      const last = lines.slice(-1);
      const shown = [...lines.slice(0, -1).slice(0, Math.max(0, rows - 2)), ...last].map(line =>
        line.slice(0, columns - 1),
      );
      host.write(2, shown.map(line => `${line}\n`).join(''));
      drawn = shown.map(line => line.length);
    },
  };
}

const LONGEST = 30;
const SHORTEST = 5;

/** `NAME [=====     ] 3/10 MB`; where that is too long without the bar. */
export function barLine(
  name: string,
  layer: { readonly bytes: number; readonly size: number },
  columns: number,
): string {
  const amount = amountText(layer.bytes, layer.size);
  const room = Math.min(LONGEST, columns - 1 - `${name} [] ${amount}`.length);
  if (room < SHORTEST) return `${name} ${amount}`;
  const full = Math.min(room, layer.size === 0 ? room : Math.floor((layer.bytes / layer.size) * room));
  return `${name} [${'='.repeat(full)}${' '.repeat(room - full)}] ${amount}`;
}
