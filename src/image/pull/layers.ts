import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import type { Host } from '../../host/host.ts';
import { feedLayer, runLayer, type SharedIds } from '../archive/program.ts';
import { digestName } from '../digest.ts';
import { ImageError } from '../error.ts';
import { readLayer } from '../images.ts';
import type { Digest } from '../types.ts';
import { unpackLimit, type UnpackLimit } from '../unpack-limit.ts';
import { RegistryError } from '../registry/error.ts';
import type { Sink } from '../registry/types.ts';
import { lockLayers, type PullLock, type Waiting } from './locks.ts';
import { openPartial, removePartial } from './partial.ts';
import type { Progress } from './progress.ts';
import { makeSettler, type Settler } from './settler.ts';

/** A layer that the store lacks. */
export interface WantedLayer {
  readonly diffId: Digest;
  /** Digest of the compressed blob, and its bytes. */
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
}

export interface LayerFetch {
  readonly store: string;
  /** Ours below the store's tmp/. */
  readonly work: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Closed by who asked for it. */
  readonly ids: Promise<SharedIds>;
  /** For layers that another pull brings: Wait of locks.ts. */
  readonly patience: number | undefined;
  readonly say: (line: string) => void;
  /** Writes the blob's bytes from `offset` on to the sink, all of them or it throws. */
  readonly fetch: (layer: WantedLayer, offset: number, sink: Sink, signal: AbortSignal) => Promise<void>;
}

interface Fetching extends Omit<LayerFetch, 'ids'> {
  readonly ids: SharedIds;
  readonly limit: UnpackLimit;
}

/** Few at a time: the line is one, and a layer keeps two processors busy. */
const WIDTH = Math.max(3, Math.min(6, availableParallelism() + 1));

/**
 * Fetches layers beside each other and unpacks each while it comes. A layer is put into its place soon after it is whole, so that a pull
 * that is cut off has done something. The first failure ends all.
 */
export async function fetchLayers(host: Host, wanted: readonly WantedLayer[], how: LayerFetch): Promise<void> {
  const stop = new AbortController();
  // Each layer that is waited for listens.
  setMaxListeners(0, stop.signal);
  const follow = (): void => stop.abort();
  how.signal.addEventListener('abort', follow, { once: true });
  if (how.signal.aborted) follow();
  const diffIds = wanted.map(layer => layer.diffId);
  const [locks, ids] = await Promise.all([lockLayers(host, how.store, diffIds), how.ids]);
  // Those that we wait for come to it.
  const ours = new Map(locks.held);
  const places = makeSettler(host, how.store);
  const limit = unpackLimit(wanted.reduce((sum, layer) => sum + layer.size, 0));
  let failure: unknown;
  const guarded = async (task: () => Promise<void>): Promise<void> => {
    try {
      if (failure === undefined) await task();
    } catch (error) {
      failure ??= error;
      stop.abort();
    }
  };
  const one = (layer: WantedLayer): Promise<void> =>
    guarded(() => fetchOne(host, layer, ours.get(layer.diffId), { ...how, ids, limit }, stop.signal, places));
  const queue = wanted.filter(layer => ours.has(layer.diffId)).sort((a, b) => b.size - a.size);
  const work = worker(queue, one);
  const waiter = async (layer: WantedLayer): Promise<void> => {
    const tell = follower(how.progress, layer);
    const lock = await locks.busy.get(layer.diffId)?.({ tell, patience: how.patience, signal: stop.signal });
    if (lock !== undefined) ours.set(layer.diffId, lock);
    if (readLayer(host, how.store, layer.diffId) !== undefined) return one(layer);
    // The pull that had it has ended without it, and with all of its layers at once.
    queue.push(layer);
    await work();
  };
  const publish = (): void => {
    if (places.isWriting()) how.progress.beat();
    const { beat } = how.progress.state();
    for (const { diffId, digest, size } of wanted)
      ours.get(diffId)?.publish({ bytes: how.progress.at(digest), beat, text: String(size) });
  };
  publish();
  const timer = setInterval(publish, 1000);
  try {
    await Promise.all([
      ...Array.from({ length: WIDTH }, () => work()),
      ...wanted.filter(layer => locks.busy.has(layer.diffId)).map(layer => guarded(() => waiter(layer))),
    ]);
    await guarded(() => places.finish());
  } finally {
    clearInterval(timer);
    how.signal.removeEventListener('abort', follow);
    await places.end();
    // Not the line's fault (a full disk): then what was kept for another try goes, too.
    if (failure !== undefined && !isOfRegistry(failure) && !how.signal.aborted)
      for (const layer of wanted) if (ours.has(layer.diffId)) removePartial(how.store, layer);
    locks.release();
  }
  if (failure !== undefined) throw failure as Error;
}

/** As it is, or with the layer's name before it. */
function isOfRegistry(failure: unknown): boolean {
  return failure instanceof RegistryError || (failure instanceof ImageError && failure.cause instanceof RegistryError);
}

/** Does what is in the queue, few at a time; called again when something has come to it. */
function worker<T>(queue: T[], act: (item: T) => Promise<void>): () => Promise<void> {
  let workers = 0;
  return async () => {
    if (workers === WIDTH) return;
    workers++;
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
    workers--;
  };
}

/** How far another pull is with a layer. Its blob may be packed otherwise than ours: it tells the size, too. */
function follower(progress: Progress, layer: WantedLayer): (state: Waiting) => void {
  let before: number | undefined;
  return ({ bytes, beat, text }) => {
    const size = Number(text);
    progress.bytes(layer.digest, size > 0 ? Math.floor(Math.min(1, bytes / size) * layer.size) : 0, true);
    if (before !== undefined && beat !== before) progress.beat(true);
    before = beat;
  };
}

async function fetchOne(
  host: Host,
  layer: WantedLayer,
  lock: PullLock | undefined,
  how: Fetching,
  signal: AbortSignal,
  places: Settler,
): Promise<void> {
  if (readLayer(host, how.store, layer.diffId) !== undefined) {
    how.progress.layerDone(layer.digest);
    return lock?.release(true);
  }
  const target = `${how.work}/${digestName(layer.diffId)}`;
  let answer: string;
  try {
    answer = await unpack(host, layer, target, how, signal);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw Object.assign(new ImageError(`layer ${layer.digest.slice(0, 19)}: ${error.message}`), { cause: error });
  }
  const { warnings, ...record } = JSON.parse(answer) as { warnings: string[]; size: number; entries: number };
  for (const line of warnings) how.say(`warning: ${line}`);
  how.limit.count(record);
  how.progress.layerDone(layer.digest);
  await places.add(layer, target, lock);
}

/** With what an earlier pull has kept; when that was no good, from the start. */
async function unpack(
  host: Host,
  layer: WantedLayer,
  target: string,
  how: Fetching,
  signal: AbortSignal,
): Promise<string> {
  const partial = openPartial(host, how.store, layer);
  let kept = 0;
  try {
    const feed = async (sink: Sink, stop: AbortSignal): Promise<void> => {
      await partial?.replay(sink, bytes => how.progress.kept(layer.digest, (kept = bytes)));
      const keeping: Sink = chunk => {
        partial?.keep(chunk);
        return sink(chunk);
      };
      await how.fetch(layer, kept, keeping, stop);
    };
    const words = [
      'apply',
      `target=${target}`,
      `blob=${layer.digest}`,
      `diff=${layer.diffId}`,
      ...how.limit.words(layer.size),
      ...how.ids.words,
    ];
    const answer = await feedLayer(words, signal, feed, how.ids.pass);
    partial?.remove();
    return answer;
  } catch (error) {
    // A line that broke, a registry or token service that fails, a person who had enough: the next pull goes on. What could not be
    // unpacked, or has more after it than there should be, is of no use to it.
    const useless = error instanceof RegistryError ? error.kind === 'bad-digest' : error instanceof ImageError;
    const broken = useless && !signal.aborted;
    if (broken) partial?.remove();
    if (!broken || kept === 0) throw error;
    await runLayer(['remove', `path=${target}`]);
    return await unpack(host, layer, target, how, signal);
  } finally {
    partial?.close();
  }
}
