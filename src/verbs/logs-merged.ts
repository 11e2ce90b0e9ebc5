import { LOGS_MERGED } from '../command/options-container.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { commandLine } from './command-line.ts';
import { fieldOf, readEntries, settled, WHOLE, type Entry } from './journal-entries.ts';
import { LogFileReader } from './log-file-reader.ts';
import { lineFilter, lineOf, moment, type LogLine } from './log-line.ts';
import { LogWriter } from './log-show.ts';
import {
  isSystems,
  journalMatches,
  logSource,
  oldestStart,
  type FileSource,
  type JournalSource,
  type LogSource,
} from './log-sources.ts';
import { unitsOver, type UnitPlace } from './units-over.ts';

/**
 * `berth logs` where more than journalctl(1) is wanted: log files, names, colours, a terminal that escape sequences must not reach. Lines of
 * all containers in the order of time.
 */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, LOGS_MERGED);
  if (typeof command === 'number') return command;
  const sources = command.operands.map(word => logSource(host, word));
  const journals = sources.filter((source): source is JournalSource => source.kind === 'journal');
  const closed = host.euid === 0 ? undefined : journals.find(isSystems);
  if (closed !== undefined) refuseClosed(host, closed);
  const files = sources.filter((source): source is FileSource => source.kind === 'file');
  const readers = files.map(source => new LogFileReader(host, source));
  const log = { command, wanted: lineFilter(host, command), writer: new LogWriter(command) };
  const journal = journals.length === 0 ? undefined : new JournalReader(host, command, journals);
  await showPast(log, journal, readers);
  const until = moment(host, command, 'until');
  if (isSet(command, 'follow') && (until ?? Infinity) > Date.now() * 1000) {
    // What comes later is not asked for. The process waits for nothing else.
    if (until !== undefined) endAt(until / 1000);
    const stop = new AbortController();
    try {
      await follow(log, journal, readers, over(host, sources, stop.signal));
    } finally {
      stop.abort();
    }
  }
  return 0;
}

/** That nobody is left who could say more. A container without a unit is known by its file alone. */
function over(host: Host, sources: readonly LogSource[], stop: AbortSignal): Promise<void> {
  const places = sources.flatMap(({ unit, manager }): UnitPlace[] => (manager === '' ? [] : [{ unit, manager }]));
  return places.length < sources.length ? new Promise(() => undefined) : unitsOver(host, places, stop);
}

/** A timer of Node takes no more than 2^31 - 1 ms, 24 days, and ends at once with more. */
function endAt(moment: number): void {
  const left = moment - Date.now();
  if (left <= 0) process.exit(0);
  setTimeout(() => endAt(moment), Math.min(left, 2 ** 31 - 1));
}

/** What a unit of the system says is in the system's journal, also with User= (systemd-journald.service(8), "ACCESS CONTROL"). */
function refuseClosed(host: Host, { name, unit }: JournalSource): void {
  const machine = (host.readFileIfExists('/etc/machine-id') ?? '').trimEnd();
  if (['/var/log', '/run/log'].some(path => host.access(`${path}/journal/${machine}/system.journal`, 4))) return;
  throw new Failure(
    125,
    `${name}: its lines are in the journal of the system, which this account may not read; as root: journalctl -u ${unit}, or add the account to the group systemd-journal`,
  );
}

interface Log {
  readonly command: Command;
  readonly wanted: (line: LogLine) => boolean;
  readonly writer: LogWriter;
}

/** The entries of all units that log to the journal, in one stream. */
class JournalReader {
  readonly #host: Host;
  readonly #sources: readonly JournalSource[];
  readonly #words: string[];
  readonly #since: string[];
  readonly #names: ReadonlyMap<string, string>;
  #last = '';

  constructor(host: Host, command: Command, sources: readonly JournalSource[]) {
    this.#host = host;
    this.#sources = sources;
    this.#words = [WHOLE, ...journalMatches(sources)];
    const oldest = oldestStart(sources);
    const none = lastValue(command, 'since') !== undefined || oldest === 0;
    this.#since = none ? [] : [`--since=@${oldest}`];
    this.#names = new Map(sources.map(({ unit, name }) => [unit, name]));
  }

  /** What comes, until nobody is left who could say more, and then what is on its way. */
  async follow(over: Promise<void>, take: (line: LogLine) => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const settle = (): Promise<void> => settled(this.#host, this.#sources);
    const ended = over.then(settle).finally(() => stop.abort());
    await Promise.race([this.read(true, take, stop.signal), ended.then(() => new Promise<never>(() => undefined))]);
    for (;;) {
      const before = this.#last;
      await this.read(false, take);
      if (this.#last === before) return;
      await settle();
    }
  }

  async read(follow: boolean, take: (line: LogLine) => Promise<void>, stop?: AbortSignal): Promise<void> {
    const from = this.#last === '' ? this.#since : [`--after-cursor=${this.#last}`];
    const words = [...(follow ? ['--follow', '--lines=all'] : []), ...from, ...this.#words];
    const show = async (entry: Entry): Promise<void> => {
      this.#last = fieldOf(entry, '__CURSOR');
      await take(lineOf(entry, this.#names));
    };
    await readEntries(words, show, stop);
  }
}

/** What was said until now: each reader's lines are in order, the earliest of their next ones comes first. */
async function showPast(
  log: Log,
  journal: JournalReader | undefined,
  readers: readonly LogFileReader[],
): Promise<void> {
  const tail = Number(lastValue(log.command, 'tail') ?? '-1');
  const last: LogLine[] = [];
  const show = async (line: LogLine): Promise<void> => {
    if (!log.wanted(line)) return;
    if (tail < 0) return log.writer.put(line);
    last.push(line);
    if (last.length > 2 * tail + 1000) last.splice(0, last.length - tail);
  };
  const follows = isSet(log.command, 'follow');
  const queues = readers.map(reader => new Queue(reader, follows));
  const before = async (time: number): Promise<void> => {
    for (let next = earliest(queues); next !== undefined && next.first().time <= time; next = earliest(queues))
      await show(next.take());
  };
  await journal?.read(false, async line => {
    await before(line.time);
    await show(line);
  });
  await before(Infinity);
  if (tail > 0) for (const line of last.slice(-tail)) await log.writer.put(line);
  await log.writer.flush();
}

/** The lines of a file, a chunk at a time; when nobody waits for more, what is unfinished comes last. */
class Queue {
  readonly #reader: LogFileReader;
  #lines: LogLine[] = [];
  #at = 0;
  #over: boolean;

  constructor(reader: LogFileReader, follows: boolean) {
    this.#reader = reader;
    this.#over = follows;
  }

  isEmpty(): boolean {
    if (this.#at === this.#lines.length) {
      this.#lines = this.#reader.read();
      this.#at = 0;
      if (this.#lines.length === 0 && !this.#over) {
        this.#over = true;
        this.#lines = this.#reader.unfinished();
      }
    }
    return this.#lines.length === 0;
  }

  /** Only of one that is not empty. */
  first(): LogLine {
    return this.#lines[this.#at] as LogLine;
  }

  take(): LogLine {
    return this.#lines[this.#at++] as LogLine;
  }
}

function earliest(queues: readonly Queue[]): Queue | undefined {
  let best: Queue | undefined;
  for (const queue of queues)
    if (!queue.isEmpty() && (best === undefined || queue.first().time < best.first().time)) best = queue;
  return best;
}

/** Ends when it is `over`, or when every file is gone and nothing of the journal is followed. */
async function follow(
  { wanted, writer }: Log,
  journal: JournalReader | undefined,
  readers: readonly LogFileReader[],
  over: Promise<void>,
): Promise<void> {
  const show = async (lines: readonly LogLine[]): Promise<void> => {
    for (const line of lines) if (wanted(line)) await writer.put(line);
    await writer.flush();
  };
  const followed = readers.map(reader => followFile(reader, show, over));
  if (journal !== undefined) followed.push(journal.follow(over, line => show([line])));
  await Promise.all(followed);
}

function followFile(
  reader: LogFileReader,
  show: (lines: readonly LogLine[]) => Promise<void>,
  over: Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let [busy, again, ended] = [false, true, false];
    const more = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      while (again) {
        again = false;
        for (let lines = reader.read(); lines.length > 0; lines = reader.read()) await show(lines);
      }
      busy = false;
      if (!ended) return;
      await show(reader.unfinished());
      resolve();
    };
    const next = (gone: boolean): void => {
      [again, ended] = [true, gone];
      more().catch(reject);
    };
    const stop = reader.follow(next);
    next(false);
    over
      .then(() => {
        stop();
        next(true);
      })
      .catch(reject);
  });
}
