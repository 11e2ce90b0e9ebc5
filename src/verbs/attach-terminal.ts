import { spawnSync } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { isSet } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import { Failure } from '../run/failure.ts';
import type { ContainerState } from '../run/state.ts';
import { ended, passOn } from './attached.ts';
import { KeyHolder } from './detach-keys.ts';

const O_PATH = 0o10000000;

/** Of a payload whose terminal the relay reads (native/tiny/relay-file-terminal.c). */
export const hasTerminal = (bundle: string): boolean => existsSync(`${bundle}/attach`);

/**
 * The payload's terminal is ours: what it writes comes as it is, what is typed and the size go to it. Until it ends, or the detach keys are
 * typed: then it stays as it is.
 */
export async function attachTerminal(
  command: Command,
  state: ContainerState,
  bundle: string,
  keys: readonly number[],
): Promise<number> {
  const types = !isSet(command, 'no-stdin');
  const restore = passOn(command, state, types ? undefined : keys);
  const stop = new AbortController();
  const status = ended(state, stop.signal).catch(() => 0);
  // The path of a long name does not fit into an address (unix(7)).
  const socket = connect(`/proc/self/fd/${openSync(bundle, O_PATH)}/attach`);
  const resize = (): void => void socket.write(sizeFrame(process.stdout.rows, process.stdout.columns));
  if (process.stdout.isTTY) {
    resize();
    process.stdout.on('resize', resize);
  }
  const detached = new Promise<true>(resolve => {
    if (types) typeInto(socket, keys, () => resolve(true));
  });
  const closed = new Promise<false>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => resolve(false));
  });
  // Node's raw mode leaves ONLCR on, which the payload's terminal has done already.
  if (process.stdin.isTTY) spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  socket.pipe(process.stdout, { end: false });
  try {
    if (await Promise.race([detached, closed])) return 0;
    let timer: NodeJS.Timeout | undefined;
    const still = new Promise<undefined>(resolve => (timer = setTimeout(resolve, PATIENCE_MS, undefined)));
    const left = await Promise.race([status, still]);
    clearTimeout(timer); // it would keep us that long
    if (left === undefined) throw new Failure(125, `${state.name}: somebody else is attached to its terminal`);
    return left;
  } finally {
    if (types && process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdin.pause();
    restore();
    stop.abort();
    socket.destroy();
    process.stdout.off('resize', resize);
  }
}

/** The relay ends after the payload; when it closes the connection and the payload lives on, it has another one. */
const PATIENCE_MS = 2000;

function typeInto(socket: Socket, keys: readonly number[], detach: () => void): void {
  const { stdin } = process;
  const holder = new KeyHolder(keys);
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', (chunk: Buffer) => {
    const bytes = stdin.isTTY ? holder.take(chunk) : [...chunk];
    for (let at = 0; at < bytes.length; at += MOST) {
      const part = bytes.slice(at, at + MOST);
      if (!socket.write(Buffer.from([part.length, ...part]))) {
        stdin.pause();
        socket.once('drain', () => stdin.resume());
      }
    }
    if (holder.complete) detach();
  });
}

const MOST = 255;

function sizeFrame(rows: number, columns: number): Buffer {
  const frame = Buffer.alloc(5);
  frame.writeUInt16LE(rows, 1);
  frame.writeUInt16LE(columns, 3);
  return frame;
}
