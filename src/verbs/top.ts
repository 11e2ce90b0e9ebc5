import { readFileSync } from 'node:fs';
import { TOP } from '../command/options-seeing.ts';
import type { Host } from '../host/host.ts';
import { isAlive, requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import type { ContainerState } from '../run/state.ts';
import { commandLine, printable } from './command-line.ts';
import { processesOf, readInside } from './processes.ts';
import { TOP_DEFAULT, TOP_FIELDS, type TopFacts, type TopField } from './top-fields.ts';

/** `berth top`: the processes of a container as the host sees them; nothing is run inside. */
export function main(host: Host): number {
  const command = commandLine(host, TOP);
  if (typeof command === 'number') return command;
  const [word = '', ...wanted] = command.operands;
  const fields = fieldsOf(wanted);
  const { state } = requireContainer(host, word);
  if (!isAlive(host, state)) throw new Failure(125, `${word}: container is not running`);
  const facts = factsOf(state);
  const lines = processesOf(host, state).map(one => fields.map(field => printable(field.value(one, facts))));
  host.write(1, aligned([fields.map(field => field.heading), ...lines]));
  return 0;
}

/** `pid args`, `pid,args`, `%p`. */
function fieldsOf(words: readonly string[]): TopField[] {
  const first = words[0] ?? '';
  if (first.startsWith('-')) {
    throw new Failure(
      125,
      `${first}: options of ps(1) are not taken; name fields: ${Object.keys(TOP_FIELDS).join(', ')}`,
    );
  }
  const names = words.flatMap(word => word.split(',')).filter(word => word !== '');
  return (names.length === 0 ? TOP_DEFAULT : names).map(name => {
    const field = name.startsWith('%')
      ? Object.values(TOP_FIELDS).find(one => one.letter === name.slice(1))
      : TOP_FIELDS[name];
    if (field === undefined)
      throw new Failure(125, `${name}: not a field; there are ${Object.keys(TOP_FIELDS).join(', ')}`);
    return field;
  });
}

/** USER_HZ, which programs see, is 100 on all that Debian runs on. */
const TICKS = 100;

function factsOf(state: ContainerState): TopFacts {
  const read = (path: string): string => readFileSync(path, 'latin1');
  return {
    uptime: Number(read('/proc/uptime').split(' ')[0]),
    bootTime: Number(/^btime (\d+)$/m.exec(read('/proc/stat'))?.[1] ?? 0),
    ticks: TICKS,
    users: namesIn(readInside(state.pid, 'etc', 'passwd')),
    groups: namesIn(readInside(state.pid, 'etc', 'group')),
    hostUsers: namesIn(read('/etc/passwd')),
    hostGroups: namesIn(read('/etc/group')),
    insideUid: inside(state.uidMap),
    insideGid: inside(state.gidMap),
  };
}

/** passwd(5), group(5): the name is the first field, the id the third. The first line with an id counts. */
function namesIn(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (/^\d+$/.test(id) && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}

function inside(map: ContainerState['uidMap']): (id: number) => number {
  return id => {
    const range = map.find(([, outside, count]) => id >= outside && id < outside + count);
    return range === undefined ? id : range[0] + id - range[1];
  };
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)));
  return lines
    .map(line => line.map((cell, column) => cell.padEnd(Math.max(12, (widths[column] ?? 0) + 2))).join(''))
    .map(line => `${line.trimEnd()}\n`)
    .join('');
}
