import { closeSync, existsSync, fstatSync, openSync, readSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Host } from '../host/host.ts';
import { logFilesOf } from '../run/log-file.ts';
import type { FileSource } from './log-sources.ts';
import type { LogLine } from './log-line.ts';

const CHUNK = 65536;
const ROTATION_MS = 300;
const PRIORITIES: Readonly<Record<string, number>> = { stdout: 6, stderr: 3 };

/**
 * The lines of a log file (native/tiny/relay-file.c writes them): first what is there, with the files that rotation put aside, then what
 * comes. A file that is renamed is read to its end before the new one.
 */
export class LogFileReader {
  readonly #path: Buffer;
  readonly #source: FileSource;
  readonly #older: string[];
  #fd = -1;
  #position = 0;
  /** The beginning of a record that is not whole yet. */
  #rest: Buffer = Buffer.alloc(0);
  readonly #parts = new Map<string, { time: number; text: Buffer[] }>();

  constructor(host: Host, source: FileSource) {
    this.#source = source;
    this.#path = Buffer.from(source.path, 'latin1');
    this.#older = logFilesOf(host, source.path);
    this.#open();
  }

  /** Lines that are there now, one chunk at a time; empty: no more for now. */
  read(): LogLine[] {
    for (;;) {
      if (this.#fd < 0) return [];
      const chunk = Buffer.allocUnsafe(CHUNK);
      const n = readSync(this.#fd, chunk, 0, CHUNK, this.#position);
      if (n === 0) {
        if (!this.#next()) return [];
        continue;
      }
      this.#position += n;
      const lines = this.#split(chunk.subarray(0, n));
      if (lines.length > 0) return lines;
    }
  }

  /** What a crash left unfinished. */
  unfinished(): LogLine[] {
    return [...this.#parts]
      .map(([stream, { time, text }]) => this.#line(stream, time, text))
      .sort((a, b) => a.time - b.time);
  }

  /** Calls back when there may be more, until the file is gone: then once more, with true. The result ends it. */
  follow(more: (gone: boolean) => void): () => void {
    const directory = dirname(this.#path.toString('latin1'));
    let asked: NodeJS.Timeout | undefined;
    const watcher = watch(Buffer.from(directory, 'latin1'), () => {
      more(false);
      // A rotation leaves no file for a moment.
      if (existsSync(this.#path) || asked !== undefined) return;
      asked = setTimeout(() => {
        asked = undefined;
        if (existsSync(this.#path)) return;
        watcher.close();
        more(true);
      }, ROTATION_MS);
    });
    return () => {
      clearTimeout(asked);
      watcher.close();
    };
  }

  #open(): void {
    const path = this.#older.shift();
    if (path === undefined) return;
    this.#fd = openSync(Buffer.from(path, 'latin1'), 'r');
    this.#position = 0;
  }

  /** Another file is to be read: the next of the old ones, or the one that rotation has begun. */
  #next(): boolean {
    if (this.#older.length === 0 && !this.#replaced()) return false;
    closeSync(this.#fd);
    this.#fd = -1;
    if (this.#older.length === 0) this.#older.push(this.#source.path);
    this.#open();
    return true;
  }

  #replaced(): boolean {
    const now = statSync(this.#path, { throwIfNoEntry: false });
    const own = fstatSync(this.#fd);
    if (now === undefined) return false;
    if (now.ino === own.ino && own.size < this.#position) this.#position = 0; // somebody made it empty
    return now.ino !== own.ino;
  }

  #split(chunk: Buffer): LogLine[] {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: LogLine[] = [];
    let start = 0;
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, start)) {
      const line = this.#record(data.subarray(start, end));
      if (line !== undefined) lines.push(line);
      start = end + 1;
    }
    this.#rest = Buffer.from(data.subarray(start));
    return lines;
  }

  /** `TIME stdout|stderr F|P TEXT`; other lines are none of ours. */
  #record(record: Buffer): LogLine | undefined {
    const [, stamp = '', stream = '', kind = ''] =
      /^(\S{20,40}) (stdout|stderr) ([FP])(?: |$)/.exec(record.toString('latin1', 0, 64)) ?? [];
    if (kind === '') return undefined;
    const text = record.subarray(stamp.length + stream.length + 4);
    const time = microseconds(stamp);
    const begun = this.#parts.get(stream)?.text ?? [];
    begun.push(text);
    this.#parts.set(stream, { time, text: begun });
    if (kind === 'P') return undefined;
    this.#parts.delete(stream);
    return this.#line(stream, time, begun);
  }

  #line(stream: string, time: number, text: readonly Buffer[]): LogLine {
    const { name, id, image } = this.#source;
    const priority = PRIORITIES[stream] ?? 6;
    const bytes = Buffer.concat(text);
    const fields = { CONTAINER_NAME: name, CONTAINER_ID_FULL: id, IMAGE_NAME: image };
    return {
      time,
      name,
      priority,
      text: bytes,
      entry: {
        __REALTIME_TIMESTAMP: String(time),
        PRIORITY: String(priority),
        MESSAGE: bytes.toString('utf8'),
        ...fields,
      },
    };
  }
}

/** RFC 3339 with any fraction. */
function microseconds(stamp: string): number {
  const fraction = /\.(\d+)/.exec(stamp)?.[1] ?? '';
  return Date.parse(stamp.replace(/\.\d+/, '')) * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}
