import { STATS } from '../command/options-seeing.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { isAlive, listContainers, requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import type { ContainerState } from '../run/state.ts';
import { commandLine, printable } from './command-line.ts';
import { renderRows } from './format.ts';
import { fillGoTemplate } from './go-template-fill.ts';
import { goDuration, shortSize } from './show.ts';
import { usageOf, type Usage } from './usage.ts';

/** `berth stats`: a table that is drawn again every few seconds, or one look. */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, STATS);
  if (typeof command === 'number') return command;
  if (isSet(command, 'all') && command.operands.length > 0)
    throw new Failure(125, '--all and container names exclude each other');
  const interval = Number(lastValue(command, 'interval') ?? 5);
  if (!(interval >= 1)) throw new Failure(125, `--interval ${interval}: use at least one second`);
  for (const word of command.operands) requireContainer(host, word);
  const before = new Map<string, Usage>();
  for (;;) {
    const states = chosen(host, command);
    const rows = states.map(state => rowOf(host, state, before));
    const live = !isSet(command, 'no-stream');
    await show(host, command, rows, live);
    // Who named containers watches these: when none of them is left there is nothing to wait for.
    if (!live || (command.operands.length > 0 && !states.some(state => isAlive(host, state)))) return 0;
    await new Promise(resolve => setTimeout(resolve, interval * 1000));
  }
}

/** A named one that is gone since is shown no more. */
function chosen(host: Host, command: Command): ContainerState[] {
  const all = listContainers(host).flatMap(one => (one.state === undefined ? [] : [one.state]));
  if (command.operands.length === 0) return all.filter(state => isSet(command, 'all') || isAlive(host, state));
  const names = command.operands;
  return all.filter(state => names.some(word => isMeant(state, word)));
}

function isMeant(state: ContainerState, word: string): boolean {
  return state.name === word || state.unit === word || state.unit === `${word}.service` || state.id.startsWith(word);
}

interface Row {
  readonly state: ContainerState;
  readonly usage?: Usage;
  /** Percent of one processor, since the last look and since the start. */
  readonly now: number;
  readonly average: number;
}

function rowOf(host: Host, state: ContainerState, before: Map<string, Usage>): Row {
  if (!isAlive(host, state)) return { state, now: 0, average: 0 };
  const usage = usageOf(host, state);
  const last = before.get(state.id);
  before.set(state.id, usage);
  const average = percent(usage.cpu / 1e6, usage.at - Number(state.startTime) / 100);
  const now = last === undefined ? average : percent((usage.cpu - last.cpu) / 1e6, usage.at - last.at);
  return { state, usage, now, average };
}

const percent = (part: number, whole: number): number => (whole <= 0 ? 0 : (part / whole) * 100);

async function show(host: Host, command: Command, rows: readonly Row[], live: boolean): Promise<void> {
  const format = lastValue(command, 'format') ?? '';
  const full = isSet(command, 'no-trunc');
  const cells = rows.map(row => cellsOf(row, full));
  const text =
    format === 'json'
      ? `${JSON.stringify(cells.map(toJson), undefined, 1)}\n`
      : renderRows(format === '' || format === 'table' ? TABLE : format, HEADINGS, cells, true, fillGoTemplate);
  const draws = live && format !== 'json' && host.isTerminal(1) && !isSet(command, 'no-reset');
  // Each line over the one before it, so that nothing flickers; what is below goes.
  await write(draws ? `\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J` : text);
}

/** Waits for a reader that is slow: nothing piles up in memory. */
function write(text: string): Promise<void> {
  return new Promise(resolve => {
    process.stdout.write(text, 'latin1', () => resolve());
  });
}

const TABLE =
  'table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDS}}\t{{.UpTime}}\t{{.AVGCPU}}';

const HEADINGS: Readonly<Record<string, string>> = {
  ID: 'ID',
  Name: 'NAME',
  CPUPerc: 'CPU %',
  MemUsage: 'MEM USAGE / LIMIT',
  MemUsageBytes: 'MEM USAGE / LIMIT',
  MemPerc: 'MEM %',
  NetIO: 'NET IO',
  BlockIO: 'BLOCK IO',
  PIDS: 'PIDS',
  PIDs: 'PIDS',
  CPU: 'CPU %',
  MemLimit: 'MEM LIMIT',
  BlockInput: 'BLOCK INPUT',
  BlockOutput: 'BLOCK OUTPUT',
  ContainerID: 'CONTAINER ID',
  UpTime: 'CPU TIME',
  AVGCPU: 'AVG CPU %',
  CPUNano: 'CPU NANO',
  Unit: 'UNIT',
};

function cellsOf({ state, usage, now, average }: Row, full: boolean): Record<string, string> {
  const pair = (left?: number, right?: number, text = (bytes: number): string => shortSize(bytes, 4)): string =>
    `${left === undefined ? '--' : text(left)} / ${right === undefined ? '--' : text(right)}`;
  const binary = (bytes: number): string => `${bytes}B`;
  const one = (value?: number): string => (value === undefined ? '--' : String(value));
  const limit = usage?.memoryLimit;
  return {
    ID: full ? state.id : state.id.slice(0, 12),
    Name: printable(state.name),
    CPUPerc: usage === undefined ? '--' : `${now.toFixed(2)}%`,
    MemUsage: pair(usage?.memory, limit),
    MemUsageBytes: pair(usage?.memory, limit, binary),
    MemPerc: usage?.memory === undefined ? '--' : `${percent(usage.memory, limit ?? 0).toFixed(2)}%`,
    NetIO: pair(usage?.received, usage?.sent),
    BlockIO: pair(usage?.read, usage?.written),
    PIDS: one(usage?.processes),
    PIDs: one(usage?.processes),
    CPU: usage === undefined ? '--' : now.toFixed(2),
    MemLimit: one(limit),
    BlockInput: one(usage?.read),
    BlockOutput: one(usage?.written),
    ContainerID: state.id,
    UpTime: usage === undefined ? '--' : goDuration(usage.cpu / 1e6),
    AVGCPU: usage === undefined ? '--' : `${average.toFixed(2)}%`,
    CPUNano: usage === undefined ? '--' : String(usage.cpu * 1000),
    Unit: state.unit,
  };
}

/** The keys of the peer's `stats --format json`. */
function toJson(cells: Readonly<Record<string, string>>): Record<string, unknown> {
  return {
    id: cells['ID'],
    name: cells['Name'],
    cpu_time: cells['UpTime'],
    cpu_percent: cells['CPUPerc'],
    avg_cpu: cells['AVGCPU'],
    mem_usage: cells['MemUsage'],
    mem_percent: cells['MemPerc'],
    net_io: cells['NetIO'],
    block_io: cells['BlockIO'],
    pids: cells['PIDS'],
    unit: cells['Unit'],
  };
}
