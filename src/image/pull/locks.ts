import { closeSync, constants, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import type { Host } from '../../host/host.ts';
import { isStill } from '../../host/node-lock.ts';
import { digestName } from '../digest.ts';
import { runLayer } from '../archive/program.ts';
import { RegistryError } from '../registry/error.ts';
import type { Digest } from '../types.ts';

/**
 * Locks of a pull: one per reference, so that ten who ask for the same image wait for one, and one per layer, so that images with a common
 * base fetch it once. They are held by open files of ours; who gets one looks first whether the thing is there now.
 */
export interface PullLock {
  /** What others see while they wait. */
  publish(state: Waiting): void;
  /** `done`: what the lock was for exists, and its file is of no use any more. Of one that another has nothing but our descriptor goes. */
  release(done: boolean): void;
}

export interface Waiting {
  /** So far. */
  readonly bytes: number;
  /** Another number than before when anything of the whole pull has gone on: other layers, or the disk. */
  readonly beat: number;
  readonly text: string;
}

/** How a lock is waited for that another has. */
export interface Wait {
  /** Hears every second how far that one is. */
  readonly tell: (state: Waiting) => void;
  /** Seconds without a beat of the other's after which it is given up, as a registry that says nothing is; there is none. */
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
    const waited = !(await takeFree([file])).has(file);
    if (waited) await awaitLock(file, wait);
    return { lock: file, waited };
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
  /** All that is left, also those that were waited for in vain. */
  release(): void;
}

/** Takes what is free at once. Nobody waits for another's layer while his own do not go on, so two pulls cannot block each other. */
export async function lockLayers(host: Host, store: string, layers: readonly Digest[]): Promise<LayerLocks> {
  host.mkdirs(`${store}/locks`, 0o700);
  const files = new Map<Digest, LockFile>();
  const release = (): void => files.forEach(file => file.release(false));
  const held = new Map<Digest, PullLock>();
  const busy = new Map<Digest, (wait: Wait) => Promise<PullLock>>();
  try {
    for (const layer of layers) files.set(layer, openLock(`${store}/locks/layer-${digestName(layer)}`, true));
    const ours = await takeFree([...files.values()]);
    for (const [layer, file] of files) {
      if (ours.has(file)) held.set(layer, file);
      else busy.set(layer, wait => awaitLock(file, wait).then(() => file));
    }
  } catch (error) {
    release();
    throw error;
  }
  return { held, busy, release };
}

/** Those that are free, and ours now. */
async function takeFree(files: readonly LockFile[]): Promise<ReadonlySet<LockFile>> {
  const taken = new Set<LockFile>();
  for (let rest = files; rest.length > 0;) {
    const locked = await tryLocks(rest, false);
    rest = locked.filter(file => !file.take());
    for (const file of locked) if (!rest.includes(file)) taken.add(file);
  }
  return taken;
}

async function awaitLock(file: LockFile, wait: Wait): Promise<void> {
  const stop = new AbortController();
  const follow = (): void => stop.abort();
  wait.signal?.addEventListener('abort', follow, { once: true });
  if (wait.signal?.aborted === true) follow();
  let before = -1;
  let idle = 0;
  const look = (): void => {
    const state = readState(file.fd());
    idle = state.beat === before ? idle + 1 : 0;
    before = state.beat;
    wait.tell(state);
    if (idle >= (wait.patience ?? Infinity)) stop.abort();
  };
  look();
  const timer = setInterval(look, 1000);
  try {
    do await tryLocks([file], true, stop.signal);
    while (!file.take());
  } catch (error) {
    if (stop.signal.aborted && wait.signal?.aborted !== true)
      throw new RegistryError('stalled', `another pull of it has brought nothing for ${wait.patience} s`);
    throw error;
  } finally {
    clearInterval(timer);
    wait.signal?.removeEventListener('abort', follow);
  }
}

/** Those that are locked now. */
async function tryLocks(files: readonly LockFile[], wait: boolean, signal?: AbortSignal): Promise<LockFile[]> {
  if (files.length === 0) return [];
  const words = ['lock', `count=${files.length}`, ...(wait ? ['wait=1'] : [])];
  const pass = files.map(file => file.fd());
  const answer = await runLayer(words, { pass, ...(signal === undefined ? {} : { signal }) });
  const numbers = answer.split(/\s+/).filter(word => word !== '');
  return files.filter((_, index) => numbers.includes(String(index)));
}

const STATE_LENGTH = 512;

interface LockFile extends PullLock {
  fd(): number;
  /** It is locked: makes it ours. False when it was removed meanwhile with what it was for; then it is opened anew, to be locked again. */
  take(): boolean;
}

/** `partial`: what a failed pull has brought stays, under the file's lock. */
function openLock(path: string, partial: boolean): LockFile {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const open = (): number => openSync(Buffer.from(path, 'latin1'), flags, 0o600);
  let fd = open();
  let ours = false;
  const close = (): void => {
    if (fd >= 0) closeSync(fd);
    fd = -1;
    ours = false;
  };
  return {
    fd: () => fd,
    take() {
      ours = isStill(fd, path);
      if (ours) return true;
      close();
      fd = open();
      return false;
    },
    publish({ bytes, beat, text }) {
      if (ours) writeSync(fd, `${bytes} ${beat} ${text}\n`.slice(0, STATE_LENGTH).padEnd(STATE_LENGTH), 0);
    },
    release(done) {
      // Whoever still waits for it finds what it was for, or makes a file anew.
      if (ours && (done || !partial)) removeFile(path);
      close();
    },
  };
}

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
  const [bytes, beat, ...text] = line.split(' ');
  return { bytes: Number(bytes) || 0, beat: Number(beat) || 0, text: text.join(' ') };
}
