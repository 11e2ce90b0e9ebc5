import { RegistryError } from './error.ts';
import type { Answer, Body } from './exchange.ts';
import { address, scope, type Repository } from './repository.ts';
import { withRetries } from './retry.ts';
import { uploadAddress } from './session.ts';
import { expect, failureOf } from './status.ts';
import type { Descriptor, Source, TransferOptions } from './types.ts';

/** Statuses with which a registry, or what stands before it, refuses a blob in one piece: no such request, no such length, too large. */
export const WANTS_PIECES: ReadonlySet<number> = new Set([405, 411, 413, 501]);

/** Bytes of a piece; halved as long as a proxy finds it too large. */
const PIECE = 16 << 20;
const LEAST_PIECE = 256 << 10;

/**
 * POST for a place, PATCH with one piece after the other, PUT with the digest. What the registry has of it is asked after a failure and gone on from.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export async function uploadInPieces(
  repository: Repository,
  descriptor: Descriptor,
  source: Source,
  options: TransferOptions,
): Promise<void> {
  const signal = options.signal ?? repository.rules.signal;
  const upload: Upload = { repository, descriptor, signal, options, place: undefined, done: 0, piece: PIECE, least: 0 };
  const reader = readFrom(source, descriptor);
  let before = 0;
  let doubtful = false;
  try {
    await withRetries(
      { ...repository.rules, signal },
      async () => {
        if (doubtful) await askHowFar(upload);
        doubtful = true;
        await sendPieces(upload, reader);
      },
      () => {
        const progressed = upload.done > before;
        before = upload.done;
        return progressed;
      },
    );
  } finally {
    await reader.close();
  }
}

interface Upload {
  readonly repository: Repository;
  readonly descriptor: Descriptor;
  readonly signal: AbortSignal | undefined;
  readonly options: TransferOptions;
  /** Where the next request goes; undefined before the upload has begun. */
  place: URL | undefined;
  /** Bytes that the registry has. */
  done: number;
  piece: number;
  /** What the registry wants at least of each piece but the last. */
  least: number;
}

async function sendPieces(upload: Upload, reader: Reader): Promise<void> {
  const { descriptor, repository } = upload;
  const what = `${repository.endpoint.path}: blob`;
  let place = (upload.place ??= await begin(upload));
  let refusals = 0;
  while (upload.done < descriptor.size) {
    const from = upload.done;
    const length = Math.min(Math.max(upload.piece, upload.least), descriptor.size - from);
    const answer = await request(upload, 'PATCH', place, {
      headers: { 'content-type': 'application/octet-stream', 'content-range': `${from}-${from + length - 1}` },
      body: { length, source: () => reader.slice(from, length) },
    });
    if (answer.status === 413 && length > Math.max(LEAST_PIECE, upload.least)) {
      answer.drop();
      upload.piece = Math.ceil(length / 2);
    } else if (answer.status === 416 && refusals++ < 3) {
      answer.drop();
      await askHowFar(upload);
    } else {
      (await expect(answer, [202], what)).drop();
      upload.place = uploadAddress(answer);
      upload.done = lastOf(answer, from + length - 1) + 1;
      if (upload.done <= from || upload.done > from + length)
        throw new RegistryError('bad-answer', `${place.host}: ${what}: it took other bytes than it was sent`);
      upload.options.progress?.(upload.done);
    }
    place = upload.place ??= await begin(upload);
  }
  const target = new URL(place);
  target.searchParams.set('digest', descriptor.digest);
  const answer = await request(upload, 'PUT', target, { headers: { 'content-type': 'application/octet-stream' } });
  (await expect(answer, [201, 204], what)).drop();
}

async function begin(upload: Upload): Promise<URL> {
  const { repository } = upload;
  const answer = await request(upload, 'POST', address(repository, 'blobs/uploads/'), {});
  (await expect(answer, [202], repository.endpoint.path)).drop();
  const least = Number(answer.headers['oci-chunk-min-length'] ?? 0);
  upload.least = Number.isSafeInteger(least) && least > 0 ? least : 0;
  upload.done = 0;
  return uploadAddress(answer);
}

/** After a failure: the registry says what it has; when it has forgotten the upload, it begins anew. */
async function askHowFar(upload: Upload): Promise<void> {
  if (upload.place === undefined) return;
  const answer = await request(upload, 'GET', upload.place, {});
  if (answer.status === 404 || answer.status === 405) {
    answer.drop();
    upload.place = undefined;
    return;
  }
  if (answer.status !== 204 && answer.status !== 200)
    throw await failureOf(answer, `${upload.repository.endpoint.path}: blob`);
  answer.drop();
  // `0-0` is also what registries say that have nothing yet.
  const last = lastOf(answer, 0);
  upload.done = last === 0 ? 0 : Math.min(last + 1, upload.descriptor.size);
  if (answer.headers.location !== undefined) upload.place = uploadAddress(answer);
}

/** The last byte that `Range: 0-LAST` names. */
function lastOf({ headers }: Answer, otherwise: number): number {
  const [, last] = /^(?:bytes=)?0-(\d{1,15})$/.exec(headers.range ?? '') ?? [];
  return last === undefined ? otherwise : Number(last);
}

function request(
  { repository, signal }: Upload,
  method: 'POST' | 'PATCH' | 'PUT' | 'GET',
  target: string | URL,
  more: { readonly headers?: Readonly<Record<string, string>>; readonly body?: Body },
): Promise<Answer> {
  const scopes = [scope(repository.endpoint.path, 'pull,push')];
  return repository.session.send({ method, target, scopes, signal, ...more });
}

interface Reader {
  /** Bytes of the blob; what lies behind is read again from the start. */
  slice(from: number, length: number): AsyncGenerator<Uint8Array, void, undefined>;
  close(): Promise<void>;
}

/** One reader for all pieces: the source is read once as long as nothing fails. */
function readFrom(source: Source, { size }: Descriptor): Reader {
  let chunks = source()[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  let position = 0;
  const close = async (): Promise<void> => void (await chunks.return?.(undefined));
  const take = async (most: number): Promise<Uint8Array> => {
    while (rest.length === 0) {
      const next = await chunks.next();
      if (next.done === true) throw new RegistryError('bad-digest', `a blob of ${size} bytes has ${position}`);
      rest = next.value;
    }
    const part = rest.subarray(0, most);
    rest = rest.subarray(part.length);
    position += part.length;
    return part;
  };
  return {
    close,
    async *slice(from, length) {
      if (from < position) {
        await close();
        chunks = source()[Symbol.asyncIterator]();
        rest = new Uint8Array(0);
        position = 0;
      }
      while (position < from) await take(from - position);
      while (position < from + length) yield await take(from + length - position);
    },
  };
}
