import { spawn } from 'node:child_process';
import { isSet } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import { programPath } from '../image/archive/program.ts';
import type { ContainerState } from '../run/state.ts';
import { KeyWatch } from './detach-keys.ts';

/** `berth wait` has a pidfd; it prints the exit status. */
export function ended({ name }: ContainerState, signal?: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(programPath(), ['wait', name], { stdio: ['ignore', 'pipe', 'ignore'], signal });
    let said = '';
    child.stdout.setEncoding('latin1').on('data', (text: string) => (said += text));
    child.on('error', reject);
    child.on('close', () => resolve(/^\d+$/.test(said.trim()) ? Number(said) : 0));
    process.once('exit', () => void child.kill('SIGTERM'));
  });
}

const PASSED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Signals go to the payload. With `keys` the terminal is in raw mode, so that these and Ctrl-C are ours. The result puts it back. */
export function passOn(command: Command, { name }: ContainerState, keys: readonly number[] | undefined): () => void {
  const proxied = isSet(command, 'sig-proxy', true);
  const tell = (signal: string): void => {
    if (!proxied) process.exit(130);
    spawn(programPath(), ['kill', '--signal', signal, name], { stdio: 'ignore' });
  };
  const handlers = PASSED.map(signal => [signal, () => tell(signal)] as const);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const { stdin } = process;
  const raw = stdin.isTTY && keys !== undefined;
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
