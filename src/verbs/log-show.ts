import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { LogLine } from './log-line.ts';

const NAME_COLORS = [36, 33, 32, 35, 34, 31];
const FULL = 65536;

/** Writes lines to standard output, many at a time; waits for a reader that does not read. */
export class LogWriter {
  readonly #format: (line: LogLine) => Buffer;
  #held: Buffer[] = [];
  #length = 0;

  constructor(command: Command) {
    this.#format = formatOf(command);
  }

  async put(line: LogLine): Promise<void> {
    const bytes = this.#format(line);
    this.#held.push(bytes);
    this.#length += bytes.length;
    if (this.#length >= FULL) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#length === 0) return;
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    this.#length = 0;
    await new Promise<void>(resolve => process.stdout.write(bytes, () => resolve()));
  }
}

function formatOf(command: Command): (line: LogLine) => Buffer {
  if (lastValue(command, 'format') === 'json') return ({ entry }) => Buffer.from(`${JSON.stringify(entry)}\n`);
  const terminal = process.stdout.isTTY;
  const colored = isSet(command, 'color', terminal && (process.env['NO_COLOR'] ?? '') === '');
  const [named, timed] = [isSet(command, 'names'), isSet(command, 'timestamps')];
  const colors = new Map<string, number>();
  const paint = (color: number, text: string): string => (colored ? `\x1b[${color}m${text}\x1b[0m` : text);
  return line => {
    const { name, priority, time } = line;
    if (!colors.has(name)) colors.set(name, NAME_COLORS[colors.size % NAME_COLORS.length] ?? 36);
    const head =
      (named ? `${paint(colors.get(name) ?? 36, name)} ` : '') + (timed ? `${paint(2, timeText(time))} ` : '');
    const text = terminal ? Buffer.from(shown(line.text.toString('latin1')), 'latin1') : line.text;
    const level = colored ? (priority <= 3 ? 31 : priority === 4 ? 33 : 0) : 0;
    const parts = level === 0 ? [text] : [`\x1b[${level}m`, text, '\x1b[0m'];
    const reset = level === 0 && terminal && text.includes(0x1b) ? ['\x1b[0m'] : [];
    return Buffer.concat([head, ...parts, ...reset, '\n'].map(part => Buffer.from(part as string)));
  };
}

/**
 * For a terminal (T28): a payload may colour its lines (`ESC [ … m`), and nothing else of what a terminal takes for a command.
 * The bytes of UTF-8 pass, but not the 8-bit controls, which are U+0080 to U+009F there.
 */
function shown(text: string): string {
  return text.replace(
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    /\x1b\[[\d;:]{0,64}m|[\x00-\x08\x0a-\x1f\x7f]|\xc2[\x80-\x9f]/g,
    found => (found.endsWith('m') && found.length > 1 ? found : hex(found)),
  );
}

function hex(text: string): string {
  return [...text].map(c => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
}

/** RFC 3339 in the local time, to the microsecond. */
function timeText(time: number): string {
  const date = new Date(time / 1000);
  const two = (number: number): string => String(Math.abs(number)).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(offset / 60))}:${two(offset % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const hours = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day}T${hours}.${String(Math.floor(time % 1e6)).padStart(6, '0')}${zone}`;
}
