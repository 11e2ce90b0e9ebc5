import { closeSync, constants, createReadStream, fstatSync, openSync, statSync, unlinkSync, writeSync } from 'node:fs';
import type { Host } from '../../host/host.ts';
import { digestHex, digestName } from '../digest.ts';
import type { Sink } from '../registry/types.ts';
import type { WantedLayer } from './layers.ts';

/**
 * What has come of a large layer, kept below the store's partial/ until the layer is whole: a pull that was killed goes on by range. It is
 * written without waiting for the disk; whatever a power cut makes of it, the layer's digest tells. Who holds the layer's lock owns the file.
 */
export interface Partial {
  /** Hands what an earlier pull kept to the sink, and tells how far it is; the number of its bytes. */
  replay(sink: Sink, progress: (bytes: number) => void): Promise<number>;
  /** To be told of each chunk after that. */
  keep(chunk: Uint8Array): void;
  close(): void;
  remove(): void;
}

/** Smaller layers are fetched again faster than it is worth. */
const LEAST_SIZE = 4 << 20;
/** After so many bytes it is decided whether the line is so fast that fetching again costs less than writing twice. */
const LOOK_AFTER = 16 << 20;
const FAST = 20 << 20;

/** undefined for a small layer. */
export function openPartial(host: Host, store: string, layer: WantedLayer): Partial | undefined {
  if (layer.size < LEAST_SIZE) return undefined;
  host.mkdirs(`${store}/partial`, 0o700);
  const path = partialPath(store, layer);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  let fd = openSync(path, flags, 0o600);
  const began = performance.now();
  let kept = 0;
  const close = (): void => {
    if (fd >= 0) closeSync(fd);
    fd = -1;
  };
  const remove = (): void => {
    close();
    unlinkQuietly(path);
  };
  return {
    close,
    remove,
    async replay(sink, progress) {
      const { size } = fstatSync(fd);
      if (size > layer.size) {
        remove();
        return 0;
      }
      if (size === 0) return 0;
      let done = 0;
      for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
        const taken = sink(chunk as Buffer);
        progress((done += (chunk as Buffer).length));
        await taken;
      }
      return done;
    },
    keep(chunk) {
      if (fd < 0) return;
      kept += chunk.length;
      const fast = kept >= LOOK_AFTER && kept - chunk.length < LOOK_AFTER && isFast(kept, performance.now() - began);
      if (fast || !writeWhole(fd, chunk)) remove();
    },
  };
}

function partialPath(store: string, layer: WantedLayer): Buffer {
  return Buffer.from(`${store}/partial/${digestName(layer.digest)}.${digestHex(layer.diffId).slice(0, 16)}`, 'latin1');
}

export function removePartial(store: string, layer: WantedLayer): void {
  unlinkQuietly(partialPath(store, layer));
}

function isFast(bytes: number, milliseconds: number): boolean {
  return (bytes / Math.max(1, milliseconds)) * 1000 >= FAST;
}

/** False when the disk is full: the layer itself needs what is left. */
function writeWhole(fd: number, chunk: Uint8Array): boolean {
  try {
    for (let at = 0; at < chunk.length;) at += writeSync(fd, chunk, at);
    return true;
  } catch {
    return false;
  }
}

function unlinkQuietly(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

const KEPT_SECONDS = 3 * 86_400;

/** Those that nobody has gone on with for three days; with `all` every one. Who writes to one just now goes on without it. */
export function prunePartials(host: Host, store: string, all: boolean): void {
  const directory = `${store}/partial`;
  if (host.lstat(directory) === undefined) return;
  for (const { name } of host.list(directory)) {
    const path = Buffer.from(`${directory}/${name}`, 'latin1');
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (all || changed / 1000 < host.now() - KEPT_SECONDS) unlinkQuietly(path);
  }
}
