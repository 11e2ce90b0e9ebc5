import { EVENTS as ENTRIES } from '../base/events.ts';
import { encodeText } from '../base/text.ts';
import { EVENTS } from '../command/options-seeing.ts';
import { allValues, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { commandLine, printable } from './command-line.ts';
import { fillRows } from './format.ts';
import { fillGoTemplate } from './go-template-fill.ts';
import { fieldOf, lastPlace, readEntries, type Entry } from './journal-entries.ts';
import { moment } from './log-line.ts';

/** `berth events`: our own entries of the journal (src/base/events.ts), and systemd's word on how the units of containers end. */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, EVENTS);
  if (typeof command === 'number') return command;
  const filters = allValues(command, 'filter').map(parseFilter);
  const format = lastValue(command, 'format') ?? '';
  if (format !== '' && format !== 'json') fillRows(format, [cellsOf(eventOf({}))], fillGoTemplate);
  const words = wordsOf(host, command);
  if (words === undefined) return 0;
  await readEntries(words, async entry => {
    const event = eventOf(entry);
    if (!filters.every(filter => filter(event))) return;
    await write(encodeText(`${textOf(event, format)}\n`));
  });
  return 0;
}

interface Event {
  /** Microseconds since the epoch. */
  readonly time: bigint;
  readonly type: string;
  readonly status: string;
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** undefined: the end is before the beginning. Without an end it waits for more, as the peer does; from now on, when no beginning is named. */
function wordsOf(host: Host, command: Command): string[] | undefined {
  const [since, until] = [moment(host, command, 'since'), moment(host, command, 'until')];
  if (since !== undefined && until !== undefined && since > until) return undefined;
  const follows = until === undefined && isSet(command, 'stream', true);
  return [
    '--namespace=*', // those of units with LogNamespace=, too
    ...(since === undefined ? [] : [`--since=@${since / 1e6}`]),
    ...(until === undefined ? [] : [`--until=@${until / 1e6}`]),
    ...(follows ? ['--follow', '--lines=all', ...(since === undefined ? [lastPlace(host)] : [])] : []),
    ...Object.values(ENTRIES).map(({ id }) => `MESSAGE_ID=${id}`),
  ];
}

function eventOf(entry: Entry): Event {
  const field = (name: string): string => fieldOf(entry, name);
  const attributes = {
    health: field('BERTH_HEALTH'),
    exitCode: field('BERTH_EXIT_STATUS'),
    error: field('BERTH_ERROR'),
  };
  return {
    time: BigInt(field('_SOURCE_REALTIME_TIMESTAMP') || field('__REALTIME_TIMESTAMP') || '0'),
    type: field('BERTH_TYPE'),
    status: field('BERTH_EVENT'),
    id: field('BERTH_ID'),
    name: field('BERTH_NAME'),
    image: field('BERTH_IMAGE'),
    unit: ['_SYSTEMD_USER_UNIT', 'USER_UNIT', 'UNIT', '_SYSTEMD_UNIT'].map(field).find(name => name !== '') ?? '',
    attributes: Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== '')),
  };
}

type Filter = (event: Event) => boolean;

const FILTERS: Readonly<Record<string, (value: string) => Filter>> = {
  container: value => event =>
    event.type === 'container' && (event.name === value || (value.length > 1 && event.id.startsWith(value))),
  event: value => event => event.status === value,
  status: value => event => event.status === value,
  image: value => event => event.image === value || (event.type === 'image' && event.name === value),
  type: value => event => event.type === value,
  unit: value => event => event.unit === value || event.unit === `${value}.service`,
};

function parseFilter(text: string): Filter {
  const at = text.indexOf('=');
  const make = at < 0 ? undefined : FILTERS[text.slice(0, at)];
  if (make === undefined) throw new Failure(125, `--filter ${text}: use ${Object.keys(FILTERS).join('=, ')}=`);
  return make(text.slice(at + 1));
}

function textOf(event: Event, format: string): string {
  if (format === 'json') return jsonOf(event);
  if (format !== '') return fillRows(format, [cellsOf(event)], fillGoTemplate).join('');
  const notes = Object.entries({ image: event.image, name: event.name, ...event.attributes }).filter(
    ([, value]) => value !== '',
  );
  const rest = notes.map(([key, value]) => `${key}=${value}`).join(', ');
  return printable(`${timeOf(event)} ${event.type} ${event.status} ${event.id} (${rest})`);
}

/** `2026-11-21 12:47:08.675250000 +0000 UTC` */
function timeOf({ time }: Event): string {
  const iso = new Date(Number(time / 1000n)).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}.${String(time % 1_000_000n).padStart(6, '0')}000 +0000 UTC`;
}

/** The keys of the peer's `events --format json`. Nanoseconds since the epoch are more than a number of JavaScript holds. */
function jsonOf(event: Event): string {
  const rest = {
    ID: event.id,
    Image: event.image,
    Name: event.name,
    Status: event.status,
    Type: event.type,
    Unit: event.unit,
    time: Number(event.time / 1_000_000n),
    Attributes: Object.keys(event.attributes).length === 0 ? null : event.attributes,
  };
  return `${JSON.stringify(rest).slice(0, -1)},"timeNano":${event.time * 1000n}}`;
}

function cellsOf(event: Event): Record<string, string> {
  const cells = {
    ID: event.id,
    Image: event.image,
    Name: event.name,
    Status: event.status,
    Type: event.type,
    Unit: event.unit,
    Time: timeOf(event),
    TimeNano: String(event.time * 1000n),
    HealthStatus: event.attributes['health'] ?? '',
    Attributes: Object.entries(event.attributes)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    ContainerExitCode: event.attributes['exitCode'] ?? '',
  };
  return Object.fromEntries(Object.entries(cells).map(([key, value]) => [key, printable(value)]));
}

/** A reader that is slow is waited for. */
function write(text: string): Promise<void> {
  return new Promise(resolve => {
    process.stdout.write(text, 'latin1', () => resolve());
  });
}
