import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { ATTACH } from '../command/options-seeing.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { isAlive, requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import type { ContainerState } from '../run/state.ts';
import { attachTerminal, hasTerminal } from './attach-terminal.ts';
import { ended, passOn } from './attached.ts';
import { commandLine } from './command-line.ts';
import { detachKeys } from './detach-keys.ts';
import { fieldOf, lastPlace, readEntries, settled, WHOLE, type Entry } from './journal-entries.ts';
import { journalMatches, journalSource } from './log-sources.ts';

/**
 * `berth attach`: what a running container writes, as it comes from the journal, until it ends (its exit status is ours) or the detach keys
 * are typed. Signals and Ctrl-C go to the payload. What is typed goes to a payload with a standard input (`-i` without `-t`, src/run/input.ts), line
 * by line, and so does its end; to a payload with a terminal every key (attach-terminal.ts); others have none.
 */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, ATTACH);
  if (typeof command === 'number') return command;
  const [word = ''] = command.operands;
  const found = requireContainer(host, word);
  if (!isAlive(host, found.state)) throw new Failure(125, `${word}: container is not running`);
  return attachTo(host, command, found);
}

/** Attaches to a container that runs, or that has just been started: then what it has written since `from` is shown, too. */
export async function attachTo(
  host: Host,
  command: Command,
  { state, bundle }: { readonly state: ContainerState; readonly bundle: string },
  from?: string,
): Promise<number> {
  const word = state.name;
  const keys = detachKeys(lastValue(command, 'detach-keys') ?? 'ctrl-p,ctrl-q');
  if (hasTerminal(bundle)) return await attachTerminal(command, state, bundle, keys);
  if (!state.logDriver.startsWith('journald'))
    throw new Failure(125, `${word}: its log driver ${state.logDriver} keeps nothing that could be followed`);
  if (state.unit === '' || state.unit.endsWith('.scope'))
    throw new Failure(125, `${word}: runs in the foreground and writes to its terminal`);
  // Where lines are typed the terminal edits them, and Ctrl-C is a signal.
  const restore = passOn(command, state, state.input === undefined || isSet(command, 'no-stdin') ? keys : undefined);
  const leave = isSet(command, 'no-stdin') ? undefined : typeInto(host, state);
  try {
    return await follow(host, state, from);
  } finally {
    leave?.();
    restore();
  }
}

/** Our standard input to the payload's, whose end is the end of the process that holds it open. undefined: it has none (any more). */
function typeInto(host: Host, { input }: ContainerState): (() => void) | undefined {
  if (input === undefined || host.startTime(input.pid) !== input.startTime) return undefined;
  const fd = openSync(`/proc/${input.pid}/fd/1`, constants.O_WRONLY | constants.O_NONBLOCK);
  const pipe = new Socket({ fd, readable: false, writable: true });
  // It reads no more.
  pipe.on('error', () => process.stdin.pause());
  pipe.on('finish', () => {
    if (host.startTime(input.pid) === input.startTime) process.kill(input.pid, 'SIGTERM');
  });
  process.stdin.pipe(pipe);
  return () => {
    process.stdin.unpipe(pipe);
    process.stdin.destroy();
    pipe.destroy();
  };
}

async function follow(host: Host, state: ContainerState, since?: string): Promise<number> {
  const source = journalSource(host, state.name, state, 0);
  const match = [WHOLE, ...journalMatches([source])];
  // Where the journal ends now: what is written from here on is ours to show, however long journalctl takes to begin.
  let from = since ?? lastPlace(host);
  const take = async (entry: Entry): Promise<void> => {
    from = `--after-cursor=${fieldOf(entry, '__CURSOR')}`;
    await show(entry);
  };
  const stop = new AbortController();
  const followed = readEntries(['--follow', '--lines=all', from, ...match], take, stop.signal);
  const status = await ended(state);
  await settled(host, [source]);
  stop.abort();
  await followed;
  // What reached the files since the last line that we saw.
  await readEntries([from, ...match], take);
  return status;
}

/** To the stream it came from: standard error has priority 3. What is no text comes through byte by byte. */
async function show(entry: Entry): Promise<void> {
  const message = entry['MESSAGE'];
  const bytes = Array.isArray(message) ? Buffer.from(message as number[]) : Buffer.from(fieldOf(entry, 'MESSAGE'));
  const stream = Number(fieldOf(entry, 'PRIORITY')) <= 3 ? process.stderr : process.stdout;
  await new Promise<void>(resolve => {
    stream.write(Buffer.concat([bytes, Buffer.from('\n')]), () => resolve());
  });
}
