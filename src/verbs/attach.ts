import { spawn } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { ATTACH } from '../command/options-seeing.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { programPath } from '../image/archive/program.ts';
import { isAlive, requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import type { ContainerState } from '../run/state.ts';
import { commandLine } from './command-line.ts';
import { detachKeys, KeyWatch } from './detach-keys.ts';
import { fieldOf, lastPlace, readEntries, type Entry } from './journal-entries.ts';

/**
 * `berth attach`: what a running container writes, as it comes from the journal, until it ends (its exit status is ours) or the detach keys
 * are typed. Signals and Ctrl-C go to the payload. What is typed goes to a payload with a standard input (`-i` without `-t`, src/run/input.ts), line
 * by line, and so does its end; others have none.
 */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, ATTACH);
  if (typeof command === 'number') return command;
  const [word = ''] = command.operands;
  const { state } = requireContainer(host, word);
  if (!isAlive(host, state)) throw new Failure(125, `${word}: container is not running`);
  if (!state.logDriver.startsWith('journald'))
    throw new Failure(125, `${word}: its log driver ${state.logDriver} keeps nothing that could be followed`);
  if (state.unit === '' || state.unit.endsWith('.scope'))
    throw new Failure(125, `${word}: runs in the foreground and writes to its terminal`);
  const keys = detachKeys(lastValue(command, 'detach-keys') ?? 'ctrl-p,ctrl-q');
  const restore = passOn(command, state, keys);
  const leave = isSet(command, 'no-stdin') ? undefined : typeInto(host, state);
  try {
    return await follow(host, state);
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

/** How long the last lines may take from the journal's socket to its files. */
const SETTLE_MS = 300;

async function follow(host: Host, state: ContainerState): Promise<number> {
  const match = matchesOf(host, state);
  // Where the journal ends now: what is written from here on is ours to show, however long journalctl takes to begin.
  let from = lastPlace(host);
  const take = async (entry: Entry): Promise<void> => {
    from = `--after-cursor=${fieldOf(entry, '__CURSOR')}`;
    await show(entry);
  };
  const stop = new AbortController();
  const followed = readEntries(['--follow', '--lines=all', from, ...match], take, stop.signal);
  const status = await ended(state);
  await new Promise(resolve => setTimeout(resolve, SETTLE_MS));
  stop.abort();
  await followed;
  // What reached the files since the last line that we saw.
  await readEntries([from, ...match], take);
  return status;
}

function matchesOf(host: Host, { unit, manager }: ContainerState): string[] {
  return manager === 'user' ? [`_SYSTEMD_USER_UNIT=${unit}`, `_UID=${host.euid}`] : [`_SYSTEMD_UNIT=${unit}`];
}

/** To the stream it came from: standard error has priority 3. What is no text comes through byte by byte. Our own news are none of its output. */
async function show(entry: Entry): Promise<void> {
  if (fieldOf(entry, 'BERTH_EVENT') !== '') return;
  const message = entry['MESSAGE'];
  const bytes = Array.isArray(message) ? Buffer.from(message as number[]) : Buffer.from(fieldOf(entry, 'MESSAGE'));
  const stream = Number(fieldOf(entry, 'PRIORITY')) <= 3 ? process.stderr : process.stdout;
  await new Promise<void>(resolve => {
    stream.write(Buffer.concat([bytes, Buffer.from('\n')]), () => resolve());
  });
}

/** `berth wait` has a pidfd; it prints the exit status. */
function ended({ name }: ContainerState): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(programPath(), ['wait', name], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    child.stdout.setEncoding('latin1').on('data', (text: string) => (said += text));
    child.on('error', reject);
    child.on('close', () => resolve(/^\d+$/.test(said.trim()) ? Number(said) : 0));
    process.once('exit', () => void child.kill('SIGTERM'));
  });
}

const PASSED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** The terminal in raw mode, so that the detach keys and Ctrl-C are ours. The result puts it back. */
function passOn(command: Command, { name, input }: ContainerState, keys: readonly number[]): () => void {
  const proxied = isSet(command, 'sig-proxy', true);
  const tell = (signal: string): void => {
    if (!proxied) process.exit(130);
    spawn(programPath(), ['kill', '--signal', signal, name], { stdio: 'ignore' });
  };
  const handlers = PASSED.map(signal => [signal, () => tell(signal)] as const);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const { stdin } = process;
  // Where lines are typed the terminal edits them, and Ctrl-C is a signal.
  const raw = stdin.isTTY && (input === undefined || isSet(command, 'no-stdin'));
  if (raw) {
    const watch = new KeyWatch(keys);
    stdin.setRawMode(true);
    stdin.on('data', (chunk: Buffer) => {
      for (const byte of chunk) {
        if (watch.completes(byte)) {
          stdin.setRawMode(false);
          process.exit(0);
        }
        if (byte === 3) tell('SIGINT');
      }
    });
  }
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
    if (!raw) return;
    stdin.setRawMode(false);
    stdin.pause();
  };
}
