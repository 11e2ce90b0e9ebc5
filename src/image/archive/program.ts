import { spawn } from 'node:child_process';
import { ImageError } from '../error.ts';

/** The native program. Tests name another one. */
export function programPath(): string {
  return process.env['BERTH_PROGRAM'] ?? '/usr/bin/berth';
}

/**
 * Runs `berth layer ACTION WORD…` beside us; its standard output. `stdin` and `stdout` are descriptors of ours. What it says on
 * standard error becomes an ImageError.
 */
export function runLayer(
  words: readonly string[],
  stdio: { readonly stdin?: number; readonly stdout?: number; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const { promise, resolve, reject } = deferred();
  const child = spawn(programPath(), ['layer', ...words], {
    stdio: [stdio.stdin ?? 'ignore', stdio.stdout ?? 'pipe', 'pipe'],
    ...(stdio.signal === undefined ? {} : { signal: stdio.signal, killSignal: 'SIGKILL' as const }),
  });
  let output = '';
  let complaint = '';
  child.stdout?.setEncoding('latin1').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('latin1').on('data', (text: string) => (complaint += complaint.length < 4096 ? text : ''));
  child.on('error', error => reject(new ImageError(`${programPath()}: ${error.message}`)));
  child.on('close', (status, signal) => {
    if (status === 0) return resolve(output);
    const line = complaint.split('\n')[0]?.replace(/^berth: (layer: )?/, '') ?? '';
    reject(new ImageError(line === '' ? `berth layer was ended by ${signal ?? `status ${status ?? '?'}`}` : line));
  });
  return promise;
}

function deferred(): { promise: Promise<string>; resolve: (text: string) => void; reject: (error: Error) => void } {
  let resolve: (text: string) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<string>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
