import { readFileSync } from 'node:fs';
import type { Host } from '../../host/host.ts';
import { settle } from '../archive/ingest.ts';
import type { Digest } from '../types.ts';
import type { PullLock } from './locks.ts';

/** Puts layers that are whole into their places. */
export interface Settler {
  add(
    layer: { readonly diffId: Digest; readonly size: number },
    target: string,
    lock: PullLock | undefined,
  ): Promise<void>;
  finish(): Promise<void>;
  /** The disk is waited for, and has taken something since this was last asked. */
  isWriting(): boolean;
  /** Nothing more is put into its place. */
  end(): Promise<void>;
}

const SETTLE_BYTES = 256 << 20;
const SETTLE_SECONDS = 15;

/**
 * One syncfs for several layers, since each brings the whole file system to the disk; but not so few that a crash costs much, or that
 * who waits for a layer waits for a large one after it.
 */
export function makeSettler(host: Host, store: string, counters = '/proc/vmstat'): Settler {
  let waiting = new Map<Digest, { target: string; size: number; lock: PullLock | undefined }>();
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let writing = false;
  let before: string | undefined;
  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    if (batch.size === 0) return;
    waiting = new Map();
    writing = true;
    try {
      await settle(host, store, new Map([...batch].map(([diffId, { target }]) => [diffId, target])));
    } finally {
      writing = false;
    }
    for (const { lock } of batch.values()) lock?.release(true);
  };
  const begin = (): Promise<void> => {
    running = running.then(flush);
    // What went wrong is thrown where it is waited for.
    running.catch(() => undefined);
    return running;
  };
  return {
    async add(layer, target, lock) {
      waiting.set(layer.diffId, { target, size: layer.size, lock });
      const bytes = [...waiting.values()].reduce((sum, one) => sum + one.size, 0);
      if (bytes >= SETTLE_BYTES) await begin();
      else timer ??= setTimeout(() => void begin(), SETTLE_SECONDS * 1000);
    },
    finish: begin,
    isWriting() {
      const now = writing ? written(counters) : undefined;
      const more = now === undefined || now !== before;
      before = now;
      return writing && more;
    },
    end: () => {
      clearTimeout(timer);
      return running.catch(() => undefined);
    },
  };
}

/**
 * Pages that this kernel has brought to its disks: one that hangs is no reason to wait for it longer. Undefined where they are not to be seen
 * (ProcSubset=pid): then it is trusted.
 */
function written(counters: string): string | undefined {
  try {
    return /^nr_written .*$/m.exec(readFileSync(counters, 'latin1'))?.[0];
  } catch {
    return undefined;
  }
}
