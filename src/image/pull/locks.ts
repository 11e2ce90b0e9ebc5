import { closeSync, constants, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import type { Host } from '../../host/host.ts';
import { digestName } from '../digest.ts';
import { ImageError } from '../error.ts';
import { runLayer } from '../archive/program.ts';
import type { Digest } from '../types.ts';

/**
 * Locks of a pull: one per reference, so that ten who ask for the same image wait for one, and one per layer, so that images with a common
 * base fetch it once. They are held by open files of ours; who gets one looks first whether the thing is there now.
 */
export interface PullLock {
  /** What others see while they wait: bytes so far, and a line. */
  publish(bytes: number, text: string): void;
  /** `done`: what the lock was for exists, and its file is of no use any more. */
  release(done: boolean): void;
}

export interface Waiting {
  readonly bytes: number;
  readonly text: string;
}

/** How a lock is waited for that another has. */
export interface Wait {
  /** Hears every second how far that one is. */
  readonly tell: (state: Waiting) => void;
  /** Seconds without a byte of the other's after which it is given up; there is none. */
  readonly patience?: number | undefined;
  readonly signal?: AbortSignal;
}

/** The lock of a name. */
export async function lockPull(
  host: Host,
  store: string,
  name: string,
  wait: Wait,
): Promise<{ lock: PullLock; waited: boolean }> {
  host.mkdirs(`${store}/locks`, 0o700);
  const file = openLock(`${store}/locks/pull-${name}`, false);
  try {
    if ((await tryLocks([file.fd], false)).length > 0) return { lock: file, waited: false };
    await awaitLock(file.fd, wait);
    return { lock: file, waited: true };
  } catch (error) {
    file.release(false);
    throw error;
  }
}

export interface LayerLocks {
  /** Ours now. */
  readonly held: ReadonlyMap<Digest, PullLock>;
  /** Another's: resolves when it is ours. */
  readonly busy: ReadonlyMap<Digest, (wait: Wait) => Promise<PullLock>>;
}

/** Takes what is free at once. Nobody waits for another's layer while his own do not go on, so two pulls cannot block each other. */
export async function lockLayers(host: Host, store: string, layers: readonly Digest[]): Promise<LayerLocks> {
  host.mkdirs(`${store}/locks`, 0o700);
  const files = layers.map(layer => openLock(`${store}/locks/layer-${digestName(layer)}`, true));
  const held = new Map<Digest, PullLock>();
  const busy = new Map<Digest, (wait: Wait) => Promise<PullLock>>();
  const ours = new Set(
    await tryLocks(
      files.map(file => file.fd),
      false,
    ),
  );
  for (const [index, layer] of layers.entries()) {
    const file = files[index];
    if (file === undefined) continue;
    if (ours.has(index)) held.set(layer, file);
    else busy.set(layer, wait => awaitLock(file.fd, wait).then(() => file));
  }
  return { held, busy };
}

async function awaitLock(fd: number, wait: Wait): Promise<void> {
  const stop = new AbortController();
  const follow = (): void => stop.abort();
  wait.signal?.addEventListener('abort', follow, { once: true });
  let before = -1;
  let idle = 0;
  const look = (): void => {
    const state = readState(fd);
    idle = state.bytes === before ? idle + 1 : 0;
    before = state.bytes;
    wait.tell(state);
    if (idle >= (wait.patience ?? Infinity)) stop.abort();
  };
  look();
  const timer = setInterval(look, 1000);
  try {
    await tryLocks([fd], true, stop.signal);
  } catch (error) {
    if (stop.signal.aborted && wait.signal?.aborted !== true)
      throw new ImageError(`another pull of it has brought nothing for ${wait.patience} s`);
    throw error;
  } finally {
    clearInterval(timer);
    wait.signal?.removeEventListener('abort', follow);
  }
}

async function tryLocks(fds: readonly number[], wait: boolean, signal?: AbortSignal): Promise<number[]> {
  if (fds.length === 0) return [];
  const words = ['lock', `count=${fds.length}`, ...(wait ? ['wait=1'] : [])];
  const answer = await runLayer(words, { pass: fds, ...(signal === undefined ? {} : { signal }) });
  return answer
    .trim()
    .split(' ')
    .filter(word => word !== '')
    .map(Number);
}

const STATE_LENGTH = 512;

/** `partial`: what a failed pull has brought stays, under the file's lock. */
function openLock(path: string, partial: boolean): PullLock & { readonly fd: number } {
  const fd = openSync(Buffer.from(path, 'latin1'), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  let open = true;
  return {
    fd,
    publish: (bytes, text) => {
      if (open) writeSync(fd, `${bytes} ${text}\n`.slice(0, STATE_LENGTH).padEnd(STATE_LENGTH), 0);
    },
    release: done => {
      if (!open) return;
      open = false;
      if (done || !partial) removeFile(path);
      closeSync(fd);
    },
  };
}

/** Whoever still waits for it finds what it was for. */
function removeFile(path: string): void {
  try {
    unlinkSync(Buffer.from(path, 'latin1'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function readState(fd: number): Waiting {
  const buffer = Buffer.alloc(STATE_LENGTH);
  const length = readSync(fd, buffer, 0, STATE_LENGTH, 0);
  const line = buffer.toString('utf8', 0, length).split('\n')[0] ?? '';
  const blank = line.indexOf(' ');
  return { bytes: Number(line.slice(0, Math.max(0, blank))) || 0, text: line.slice(blank + 1) };
}
