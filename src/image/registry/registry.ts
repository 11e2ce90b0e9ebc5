import { ImageError } from '../error.ts';
import { readIndex, readManifest, type Document } from './documents.ts';
import { RegistryError, type RegistryErrorKind } from './error.ts';
import { beginTransfer, fetchBlob } from './fetch-blob.ts';
import { fetchDigest, fetchDocument } from './fetch-manifest.ts';
import { fetchList } from './lists.ts';
import { choosePlatform, hostPlatform } from './platform.ts';
import { hasBlob, mountBlob, putManifest, uploadBlob } from './push.ts';
import { address, scope, type Repository } from './repository.ts';
import type { Descriptor, ImageManifest, Platform, Registry } from './types.ts';

export interface RegistryParts {
  /** Full reference. */
  readonly name: string;
  /** Tag or digest. */
  readonly reference: string;
  /** Mirrors first; the last is the registry itself. */
  readonly repositories: readonly Repository[];
  readonly note: (line: string) => void;
  /** Throws when a policy forbids to fetch. */
  readonly check: () => void;
  readonly close: () => void;
}

/** The requests of a reference over its endpoints. */
export function registryOf(parts: RegistryParts): Registry {
  // The endpoint that served the manifest is asked first for the rest: another mirror may be behind.
  const order = [...parts.repositories];
  const own = parts.repositories.at(-1);
  if (own === undefined) throw new RangeError('a registry without an endpoint');
  const first = <T>(action: (repository: Repository) => Promise<T>): Promise<T> => firstOf(parts, order, action);
  return {
    reference: parts.name,
    head() {
      parts.check();
      return first(repository => fetchDigest(repository, parts.reference));
    },
    manifest(platform = hostPlatform()) {
      parts.check();
      return first(repository => fetchManifest(repository, parts, platform));
    },
    async blob(descriptor, sink, options) {
      const transfer = beginTransfer(descriptor, sink, options);
      await firstOf(parts, order, repository => fetchBlob(repository, transfer), IN_A_STREAM);
    },
    document: (descriptor, limit) => fetchSmall(first, descriptor, limit),
    tags: () =>
      first(repository =>
        fetchList(repository.session, repository.rules, {
          target: `${address(repository, 'tags/list')}?n=1000`,
          key: 'tags',
          scopes: [scope(repository.endpoint.path, 'pull')],
          what: repository.endpoint.path,
        }),
      ),
    hasBlob: digest => hasBlob(own, digest),
    mountBlob: (digest, fromPath) => mountBlob(own, digest, fromPath),
    uploadBlob: (descriptor, source, options = {}) => uploadBlob(own, descriptor, source, options),
    putManifest: (mediaType, bytes, reference = parts.reference) => putManifest(own, reference, mediaType, bytes),
    close: () => parts.close(),
  };
}

const FINAL: ReadonlySet<RegistryErrorKind> = new Set(['aborted']);
/** Wrong bytes that the sink has taken cannot be taken back. */
const IN_A_STREAM: ReadonlySet<RegistryErrorKind> = new Set(['aborted', 'bad-digest']);

/** Tries the endpoints in their order and keeps the one that served in front. The registry's own failure is the one that is told. */
async function firstOf<T>(
  parts: RegistryParts,
  order: Repository[],
  action: (repository: Repository) => Promise<T>,
  final = FINAL,
): Promise<T> {
  let failure: unknown;
  for (const repository of [...order]) {
    try {
      const result = await action(repository);
      if (order[0] !== repository) order.sort((a, b) => Number(b === repository) - Number(a === repository));
      return result;
    } catch (error) {
      // What the caller's sink or the disk says is not the endpoint's.
      if (!(error instanceof ImageError) || (error instanceof RegistryError && final.has(error.kind))) throw error;
      if (repository.endpoint.mirror) parts.note(`mirror ${error.message}`);
      if (!repository.endpoint.mirror || failure === undefined) failure = error;
    }
  }
  throw failure;
}

async function fetchManifest(repository: Repository, parts: RegistryParts, platform: Platform): Promise<ImageManifest> {
  const document = await fetchDocument(repository, parts.reference);
  let current: Document = document;
  for (let depth = 0; depth < 3; depth++) {
    const entries = readIndex(current, parts.name);
    if (entries === undefined) return readManifest(current, document.digest, parts.name);
    const chosen = choosePlatform(entries, platform, parts.name);
    const next = await fetchDocument(repository, chosen.digest);
    current = { ...next, mediaType: chosen.mediaType };
  }
  throw new RegistryError('bad-answer', `${parts.name}: indexes within indexes`);
}

async function fetchSmall(
  first: <T>(action: (repository: Repository) => Promise<T>) => Promise<T>,
  descriptor: Descriptor,
  limit: number,
): Promise<string> {
  if (descriptor.size > limit)
    throw new RegistryError(
      'too-large',
      `${descriptor.digest.slice(0, 19)}: ${descriptor.size} bytes, the limit is ${limit}`,
    );
  return first(async repository => {
    // Each endpoint starts anew: bytes that turned out to be wrong are not gone on from.
    const chunks: Buffer[] = [];
    await fetchBlob(
      repository,
      beginTransfer(descriptor, chunk => void chunks.push(Buffer.from(chunk))),
    );
    return Buffer.concat(chunks).toString('latin1');
  });
}
