import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { ImageError } from '../error.ts';

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
    const { child, done } = startLayer(words, { stdin: 'pipe', signal: stop.signal });
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
