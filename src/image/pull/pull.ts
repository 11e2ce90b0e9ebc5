import { createHash } from 'node:crypto';
import { unlinkSync, writeFileSync } from 'node:fs';
import type { WholeFile } from '../../host/beside.ts';
import { HostError, type Host } from '../../host/host.ts';
import { isWhole } from '../additional.ts';
import { sweep, withWork, writeWhole } from '../archive/ingest.ts';
import { withSharedIds, type SharedIds } from '../archive/program.ts';
import { parseImageConfig } from '../config.ts';
import { ImageError } from '../error.ts';
import { RegistryError } from '../registry/error.ts';
import { isFor } from '../registry/platform-match.ts';
import type { Platform, Registry } from '../registry/types.ts';
import { findImage } from '../resolve.ts';
import type { ImageRecord } from '../types.ts';
import { checkImage, missingLayers, namesOf, pulledFor } from './image.ts';
import { fetchLayers, type WantedLayer } from './layers.ts';
import { lockPull, type PullLock } from './locks.ts';
import { prunePartials } from './partial.ts';
import { asksRegistry, toleratesFailure, type PullPolicy } from './policy.ts';
import type { Progress } from './progress.ts';
import type { Pulled } from './unchanged.ts';

export interface PullRequest {
  /** As the person or unit wrote it. */
  readonly name: string;
  readonly policy: PullPolicy;
  readonly platform: Platform;
  /** The platform was asked for: another one does not do. */
  readonly strict: boolean;
  /** For a repair: what the store has of its documents is not to be believed, and what its names mean stays as it is. */
  readonly anew?: boolean;
  /** The repositories that the name may mean, likeliest first; read when the registry is asked. `hurried`: an image is there that does, too. */
  readonly registries: (hurried: boolean) => readonly Registry[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/**
 * Sees that the store has the image of a name, as the policy wants it. Ten who ask at once wait for one. Throws ImageError in one line;
 * where the policy allows it and a usable image is there, that becomes a warning.
 */
export async function pullImage(host: Host, store: string, request: PullRequest): Promise<Pulled> {
  let there = usable(host, store, request.name, request);
  if (there === undefined) {
    // A repair that was killed may have had a layer of it in its hands.
    await sweep(host, store);
    there = usable(host, store, request.name, request);
  }
  if (!asksRegistry(request.policy, there !== undefined)) {
    if (there !== undefined) return unchanged(request.name, there);
    throw new ImageError(`${request.name}: no such image in ${store}, and the policy never forbids to fetch it`);
  }
  const spare = toleratesFailure(request.policy, true) ? there : undefined;
  try {
    return await firstOf(host, store, request, spare !== undefined);
  } catch (error) {
    if (spare === undefined || !isFault(error)) throw error;
    request.say(`warning: ${error.message}; the image that is there is used`);
    return unchanged(request.name, spare);
  }
}

/** Of a registry, or of this host (a full disk); anything else is a mistake of ours. */
function isFault(error: unknown): error is Error {
  return error instanceof ImageError || error instanceof HostError || (error instanceof Error && 'errno' in error);
}

/** Kinds of failure after which a short name's next registry is tried. */
const NEXT = new Set('not-found denied unauthorized offline stalled broken proxy certificate policy'.split(' '));

async function firstOf(host: Host, store: string, request: PullRequest, hurried: boolean): Promise<Pulled> {
  const failures: RegistryError[] = [];
  const registries = request.registries(hurried);
  try {
    for (const registry of registries) {
      try {
        return await pullFrom(host, store, registry, request, hurried ? PATIENCE : undefined);
      } catch (error) {
        if (!(error instanceof RegistryError) || registries.length === 1 || !NEXT.has(error.kind)) throw error;
        failures.push(error);
      }
    }
  } finally {
    for (const registry of registries) registry.close();
  }
  throw new ImageError(
    failures.length === 0
      ? `${request.name}: a short name, and no registry to look in; write it in full`
      : failures.map(error => error.message).join('; '),
  );
}

/** Seconds: another pull may be as patient with a silent registry as it likes, a start that has an image is not. */
const PATIENCE = 20;

async function pullFrom(
  host: Host,
  store: string,
  registry: Registry,
  request: PullRequest,
  patience: number | undefined,
): Promise<Pulled> {
  const { progress } = request;
  const began = host.now();
  const key = createHash('sha256')
    .update(`${registry.reference} ${JSON.stringify(request.platform)}`)
    .digest('hex');
  const { lock, waited } = await lockPull(host, store, key.slice(0, 32), {
    tell: ({ beat, text }) => progress.others(beat, text),
    patience,
    signal: request.signal,
  });
  let done = false;
  try {
    const there = waited ? usable(host, store, registry.reference, request) : undefined;
    const known = pulledFor(host, store, registry.reference, request.platform);
    if (there !== undefined && (request.policy === 'missing' || (known !== undefined && known.time >= began))) {
      done = true;
      return unchanged(registry.reference, there);
    }
    const result = await pullLocked(host, store, registry, { ...request, patience }, lock);
    done = true;
    return result;
  } finally {
    progress.end();
    lock.release(done);
  }
}

type Patient = PullRequest & { readonly patience: number | undefined };

async function pullLocked(
  host: Host,
  store: string,
  registry: Registry,
  request: Patient,
  lock: PullLock,
): Promise<Pulled> {
  // An index and its images do not always agree about variants.
  const { os, architecture } = request.platform;
  const there = usable(host, store, registry.reference, { ...request, platform: { os, architecture } });
  const known = pulledFor(host, store, registry.reference, request.platform);
  const asBefore = request.anew !== true && there !== undefined && known?.image === there.id;
  if (asBefore && isWhole(host, store, there) && (await registry.head()) === known.digest) {
    return unchanged(registry.reference, there);
  }
  return withSharedIds(host, ids => fetchImage(host, store, registry, request, { lock, ids }));
}

interface Means {
  readonly lock: PullLock;
  readonly ids: Promise<SharedIds>;
}

async function fetchImage(
  host: Host,
  store: string,
  registry: Registry,
  request: Patient,
  means: Means,
): Promise<Pulled> {
  const manifest = await registry.manifest(request.platform);
  const configuration = await registry.document(manifest.config, CONFIGURATION_LIMIT);
  const facts = parseImageConfig(configuration);
  const id = createHash('sha256').update(Buffer.from(configuration, 'latin1')).digest('hex');
  checkImage(registry.reference, request, manifest, facts);
  const image = { id, configuration, facts, manifest: { digest: manifest.digest, bytes: manifest.bytes } };
  const names = (): WholeFile[] =>
    request.anew === true ? [] : namesOf(host, store, registry.reference, id, manifest, request.platform);
  let fetched = { layers: 0, bytes: 0 };
  await withWork(host, store, async work => {
    // Garbage collection spares what a living pull counts on (collect.ts reads it).
    writeFileSync(Buffer.from(`${work}/wanted`, 'latin1'), facts.layers.map(layer => `${layer}\n`).join(''), {
      mode: 0o600,
    });
    // A removal beside us may take a layer that was there when we looked; after the record is written nobody does.
    for (let attempt = 0; ; attempt++) {
      const wanted = missingLayers(host, store, manifest, facts.layers);
      if (wanted.length > 0) {
        const one = await fetchWanted(host, store, work, registry, wanted, request, means);
        fetched = { layers: fetched.layers + one.layers, bytes: fetched.bytes + one.bytes };
      }
      if (await writeWhole(host, store, image, names)) break;
      if (attempt === 2)
        throw new ImageError(`${registry.reference}: its layers are removed as fast as they come; try again`);
    }
    removeIfThere(`${work}/wanted`);
  });
  return { id, name: registry.reference, ...fetched };
}

/** Configurations (T34): those of images with hundreds of layers have some 100 kB. */
const CONFIGURATION_LIMIT = 8 << 20;

async function fetchWanted(
  host: Host,
  store: string,
  work: string,
  registry: Registry,
  wanted: readonly WantedLayer[],
  request: Patient,
  { lock, ids }: Means,
): Promise<{ layers: number; bytes: number }> {
  const { progress, signal, say } = request;
  progress.begin(registry.reference, wanted);
  prunePartials(host, store, false);
  let bytes = 0;
  const publish = (): void => lock.publish(progress.state());
  publish();
  const timer = setInterval(publish, 1000);
  try {
    await fetchLayers(host, wanted, {
      store,
      work,
      progress,
      signal,
      ids,
      patience: request.patience,
      say,
      fetch: async (layer, offset, sink, stop) => {
        // berth layer computes both digests while it unpacks.
        const counted = (now: number): void => progress.bytes(layer.digest, now);
        const again = (): void => progress.beat();
        await registry.blob(layer, sink, { signal: stop, unverified: true, progress: counted, again, offset });
        bytes += layer.size - offset;
      },
    });
  } finally {
    clearInterval(timer);
  }
  return { layers: wanted.length, bytes };
}

function usable(host: Host, store: string, name: string, request: PullRequest): ImageRecord | undefined {
  const record = findImage(host, store, name)?.record;
  return record === undefined || !request.strict || isFor(record, request.platform) ? record : undefined;
}

function unchanged(name: string, record: ImageRecord): Pulled {
  return { id: record.id, name, layers: 0, bytes: 0 };
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(Buffer.from(path, 'latin1'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
