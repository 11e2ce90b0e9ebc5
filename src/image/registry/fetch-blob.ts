import { digestHex } from '../digest.ts';
import { chunkIsDone } from './chunk-garbage.ts';
import { RegistryError } from './error.ts';
import type { Answer } from './exchange.ts';
import { checkDigest, hashFor } from './hashing.ts';
import { address, scope, type Repository } from './repository.ts';
import { withRetries } from './retry.ts';
import { expect } from './status.ts';
import type { BlobOptions, Descriptor, Sink } from './types.ts';

/** How far a transfer is; shared by the tries, and by the mirrors that take over from each other. */
export interface Transfer {
  readonly descriptor: Descriptor;
  readonly sink: Sink;
  readonly options: BlobOptions;
  readonly hash: ReturnType<typeof hashFor> | undefined;
  /** Bytes that the sink has. */
  done: number;
  /** A range was asked for, and was refused, or what came was said to be another: everything is asked for. */
  whole?: true;
}

/** A connection that brought this much before it broke counts as progress. */
const PROGRESS = 64 << 10;

export function beginTransfer(descriptor: Descriptor, sink: Sink, options: BlobOptions = {}): Transfer {
  const hash = options.unverified === true ? undefined : hashFor(descriptor.digest);
  if (hash !== undefined && (options.offset ?? 0) > 0)
    throw new RangeError('a transfer that begins in the middle cannot be verified');
  return { descriptor, sink, options, hash, done: options.offset ?? 0 };
}

/** Brings the rest of a blob from one endpoint. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs */
export async function fetchBlob(repository: Repository, transfer: Transfer): Promise<void> {
  const { descriptor } = transfer;
  let before = transfer.done;
  const rules = { ...repository.rules, signal: transfer.options.signal ?? repository.rules.signal };
  await withRetries(
    rules,
    () => fetchRest(repository, transfer, rules.signal),
    () => {
      const progressed = transfer.done - before >= PROGRESS;
      before = transfer.done;
      return progressed;
    },
  );
  if (transfer.hash !== undefined) checkDigest(transfer.hash, descriptor.digest, name(repository, descriptor));
}

async function fetchRest(repository: Repository, transfer: Transfer, signal: AbortSignal | undefined): Promise<void> {
  const { descriptor } = transfer;
  if (transfer.done === descriptor.size && transfer.done > 0) return;
  const from = transfer.done;
  const ranged = from > 0 && transfer.whole !== true;
  const answer = await repository.session.send({
    method: 'GET',
    target: address(repository, `blobs/${descriptor.digest}`),
    scopes: [scope(repository.endpoint.path, 'pull')],
    ...(ranged ? { headers: { range: `bytes=${from}-` } } : {}),
    signal,
  });
  if (ranged && (answer.status === 206 ? !beginsAt(answer, from) : isRefusal(answer))) {
    answer.drop();
    transfer.whole = true;
    return fetchRest(repository, transfer, signal);
  }
  await expect(answer, ranged ? [200, 206] : [200], name(repository, descriptor));
  // A server without ranges sends everything again: the part that is known is passed over.
  let skip = answer.status === 206 ? 0 : from;
  for await (const chunk of answer.body()) {
    const fresh = skip >= chunk.length ? undefined : skip > 0 ? chunk.subarray(skip) : chunk;
    skip = Math.max(0, skip - chunk.length);
    if (fresh === undefined) transfer.options.again?.();
    else await accept(repository, transfer, fresh);
  }
  if (transfer.done < descriptor.size)
    throw new RegistryError(
      'broken',
      `${name(repository, descriptor)}: it ended after ${transfer.done} of ${descriptor.size} bytes`,
    );
}

async function accept(repository: Repository, transfer: Transfer, chunk: Buffer): Promise<void> {
  const { descriptor, hash, sink, options } = transfer;
  if (transfer.done + chunk.length > descriptor.size)
    throw new RegistryError(
      'bad-digest',
      `${name(repository, descriptor)}: more bytes than the ${descriptor.size} that the manifest says`,
    );
  hash?.update(chunk);
  const taken = sink(chunk);
  if (taken !== undefined) await taken;
  transfer.done += chunk.length;
  chunkIsDone(chunk.length);
  options.progress?.(transfer.done);
}

/** The range must begin where we are: anything else would be put in the wrong place. */
function beginsAt({ headers }: Answer, from: number): boolean {
  return Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1]) === from;
}

/** It may be of the range (416, what a proxy says to one): the same without a range tells. */
function isRefusal({ status }: Answer): boolean {
  return status >= 400 && status < 500 && !OF_THE_BLOB.has(status);
}

/** Credentials, no such blob, too slow, too many requests. */
const OF_THE_BLOB: ReadonlySet<number> = new Set([401, 403, 404, 408, 429]);

function name({ endpoint }: Repository, { digest }: Descriptor): string {
  return `${endpoint.host}/${endpoint.path}: blob ${digestHex(digest).slice(0, 12)}`;
}
