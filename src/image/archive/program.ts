import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Host } from '../../host/host.ts';
import { ImageError } from '../error.ts';
import { storeMap } from '../store-map.ts';

/** The native program. Tests name another one. */
export function programPath(): string {
  return process.env['BERTH_PROGRAM'] ?? '/usr/bin/berth';
}

/** Descriptors of ours; `pass` become 3, 4, … of the program. */
export interface LayerStdio {
  readonly stdin?: number | 'pipe';
  readonly stdout?: number;
  readonly pass?: readonly number[];
  readonly signal?: AbortSignal;
}

/**
 * Runs `berth layer ACTION WORD…` beside us; its standard output. What it says on standard error becomes an ImageError.
 */
export function runLayer(words: readonly string[], stdio: LayerStdio = {}): Promise<string> {
  return startLayer(words, stdio).done;
}

/**
 * The same, with standard input as it comes: `feed` writes to the sink until the blob is whole. What fails first is what is thrown; the
 * other half is ended.
 */
export async function feedLayer(
  words: readonly string[],
  signal: AbortSignal,
  feed: (sink: (chunk: Uint8Array) => void | Promise<void>, signal: AbortSignal) => Promise<void>,
  pass: readonly number[] = [],
): Promise<string> {
  const stop = new AbortController();
  const follow = (): void => stop.abort();
  signal.addEventListener('abort', follow, { once: true });
  if (signal.aborted) stop.abort();
  const failures: unknown[] = [];
  const fail = (error: unknown): void => {
    failures.push(error);
    stop.abort();
  };
  try {
    const { child, done } = startLayer(words, { stdin: 'pipe', pass, signal: stop.signal });
    const pipe = child.stdin;
    if (pipe === null) throw new Error('a program without standard input');
    pipe.on('error', () => undefined);
    let answer = '';
    const fed = async (): Promise<void> => {
      await feed(chunk => writeTo(pipe, chunk, stop.signal), stop.signal);
      pipe.end();
    };
    await Promise.all([
      done.then(text => (answer = text)).catch(fail),
      // A program that ended early closed the pipe: it says itself why.
      fed().catch((error: unknown) => (isBrokenPipe(error) ? undefined : fail(error))),
    ]);
    if (failures.length > 0) throw failures[0] as Error;
    return answer;
  } finally {
    signal.removeEventListener('abort', follow);
  }
}

/** What `apply` needs to join a user namespace, and what closes ours. */
export interface SharedIds {
  readonly words: readonly string[];
  readonly pass: readonly number[];
  close(): void;
}

/**
 * One user namespace for all layers of a pull: two programs of the package uidmap make its maps, for each layer anew they took a fifth of a pull
 * of small ones. An open descriptor keeps it. Where it cannot be made, each layer's program tries for itself and says why not.
 */
export async function shareIds(host: Host): Promise<SharedIds> {
  const none = { words: [], pass: [], close: () => undefined };
  if (storeMap(host).kind !== 'subordinate') return none;
  const { child, done } = startLayer(['hold'], { stdin: 'pipe' });
  child.stdin?.on('error', () => undefined);
  const ended = done.catch(() => '');
  const said = new Promise<string>(resolve => child.stdout?.once('data', resolve));
  const pid = (await Promise.race([said, ended])).trim();
  try {
    if (!/^\d+$/.test(pid)) return none;
    const fd = openSync(`/proc/${pid}/ns/user`, 'r');
    return { words: ['userns=3'], pass: [fd], close: () => closeSync(fd) };
  } catch {
    return none;
  } finally {
    child.stdin?.end();
  }
}

/** Made beside what the body does before it needs them. */
export async function withSharedIds<T>(host: Host, body: (ids: Promise<SharedIds>) => Promise<T>): Promise<T> {
  const ids = shareIds(host);
  try {
    return await body(ids);
  } finally {
    await ids.then(
      made => made.close(),
      () => undefined,
    );
  }
}

/**
 * A reader's standard output is the other one's standard input; what the other one says. Each is a whole command line. Of two failures the
 * one that came first is told: a reader whose reader is gone has nothing to say.
 */
export async function joinPrograms(read: readonly string[], write: readonly string[]): Promise<string> {
  const [program = '', ...words] = read;
  const reader = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [other = '', ...rest] = write;
  const writer = spawn(other, rest, { stdio: [reader.stdout, 'pipe', 'pipe'] });
  const ends = [endOf(reader, false), endOf(writer, true)];
  reader.stdout.destroy();
  const [first, second] = await Promise.all(ends);
  const failures = [first, second].filter(end => end?.failure !== undefined).map(end => end?.failure ?? '');
  const [told] = [...failures.filter(line => !/broken pipe|who reads the output/i.test(line)), ...failures];
  if (told !== undefined) throw new ImageError(told);
  if (second !== undefined && second.said !== '') process.stderr.write(second.said, 'latin1');
  return second?.output ?? '';
}

interface End {
  readonly output: string;
  /** What a program that succeeded said on standard error. */
  readonly said: string;
  readonly failure?: string;
}

function endOf(child: ChildProcess, takesOutput: boolean): Promise<End> {
  return new Promise((resolve, reject) => {
    let output = '';
    let said = '';
    if (takesOutput) child.stdout?.setEncoding('latin1').on('data', (text: string) => (output += text));
    child.stderr?.setEncoding('latin1').on('data', (text: string) => (said += said.length < 4096 ? text : ''));
    child.on('error', error => reject(new ImageError(`${child.spawnfile}: ${error.message}`)));
    child.on('close', (status, signal) => {
      if (status === 0) return resolve({ output, said });
      const line = said.split('\n')[0]?.replace(/^berth: ((layer|copy): )*/, '') ?? '';
      resolve({ output, said, failure: line === '' ? `ended by ${signal ?? `status ${status ?? '?'}`}` : line });
    });
  });
}

/** Resolves when there is room again; what the pipe does not take at once is kept until then. */
function writeTo(pipe: Writable, chunk: Uint8Array, signal: AbortSignal): void | Promise<void> {
  if (pipe.destroyed) throw Object.assign(new Error('the program has ended'), { code: 'EPIPE' });
  if (pipe.write(chunk)) return;
  return once(pipe, 'drain', { signal }).then(() => undefined);
}

function isBrokenPipe(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code);
}

function startLayer(words: readonly string[], stdio: LayerStdio): { child: ChildProcess; done: Promise<string> } {
  const child = spawn(programPath(), ['layer', ...words], {
    stdio: [stdio.stdin ?? 'ignore', stdio.stdout ?? 'pipe', 'pipe', ...(stdio.pass ?? [])],
    ...(stdio.signal === undefined ? {} : { signal: stdio.signal, killSignal: 'SIGKILL' as const }),
  });
  const done = new Promise<string>((resolve, reject) => {
    let output = '';
    let complaint = '';
    child.stdout?.setEncoding('latin1').on('data', (text: string) => (output += text));
    child.stderr
      ?.setEncoding('latin1')
      .on('data', (text: string) => (complaint += complaint.length < 4096 ? text : ''));
    child.on('error', error => reject(new ImageError(`${programPath()}: ${error.message}`)));
    child.on('close', (status, signal) => {
      if (status === 0) return resolve(output);
      const line = complaint.split('\n')[0]?.replace(/^berth: (layer: )?/, '') ?? '';
      reject(new ImageError(line === '' ? `berth layer was ended by ${signal ?? `status ${status ?? '?'}`}` : line));
    });
  });
  return { child, done };
}
