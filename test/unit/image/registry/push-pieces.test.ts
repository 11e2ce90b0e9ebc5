import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type * as http from 'node:http';
import { test } from 'node:test';
import { openRegistry } from '../../../../src/image/registry/open.ts';
import type { Descriptor, Registry } from '../../../../src/image/registry/types.ts';
import { answer, hostFor, LAYER, openings, sha256, type Server } from './server.ts';

const { servers, opened, start } = openings();

const DATA = randomBytes(3_000_000);
const BLOB: Descriptor = { mediaType: LAYER, digest: sha256(DATA), size: DATA.length };

function open(server: Server): Registry {
  const registry = openRegistry(hostFor(servers), `${server.host}/team/app:1`, {
    retry: 3,
    retryDelay: 0.01,
    stall: 2,
  });
  opened.push(registry);
  return registry;
}

async function* source(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < DATA.length; at += 70_000) {
    await Promise.resolve();
    yield DATA.subarray(at, at + 70_000);
  }
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly body: Buffer;
}

interface Uploads {
  readonly server: Server;
  readonly asked: Asked[];
  /** What has been finished, by digest. */
  readonly blobs: Map<string, Buffer>;
  /** Bytes of the upload that is going on. */
  stored: Buffer;
}

/** What a test does otherwise than a registry that takes pieces; true when it has answered. */
type Otherwise = (asked: Asked, response: http.ServerResponse, uploads: Uploads) => boolean;

/** A registry that keeps one upload, takes pieces in their order, and nothing in one piece. */
async function takesPieces(otherwise: Otherwise = () => false): Promise<Uploads> {
  const asked: Asked[] = [];
  const server = await start((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const one: Asked = {
        method: request.method ?? '',
        path: request.url ?? '',
        range: request.headers['content-range'],
        body: Buffer.concat(parts),
      };
      asked.push(one);
      if (!otherwise(one, response, uploads)) usually(one, response, uploads);
    });
  });
  const uploads: Uploads = { server, asked, blobs: new Map(), stored: Buffer.alloc(0) };
  return uploads;
}

function usually({ method, path, range, body }: Asked, response: http.ServerResponse, uploads: Uploads): void {
  const place = (): http.OutgoingHttpHeaders => ({
    location: `/upload/1?state=${uploads.stored.length}`,
    range: `0-${Math.max(0, uploads.stored.length - 1)}`,
  });
  if (method === 'POST') {
    uploads.stored = Buffer.alloc(0);
    return answer(response, 202, '', { location: '/upload/1?state=0' });
  }
  if (method === 'GET') return answer(response, 204, '', place());
  if (method === 'PATCH') {
    if (range !== `${uploads.stored.length}-${uploads.stored.length + body.length - 1}`)
      return answer(response, 416, '', place());
    uploads.stored = Buffer.concat([uploads.stored, body]);
    return answer(response, 202, '', place());
  }
  if (body.length > 0) return answer(response, 413);
  uploads.blobs.set(new URL(path, 'http://x').searchParams.get('digest') ?? '', uploads.stored);
  return answer(response, 201);
}

function pieces({ asked }: Uploads): number[] {
  return asked.filter(one => one.method === 'PATCH').map(one => one.body.length);
}

test('a registry that refuses a blob in one piece gets pieces, and the next blob at once', async () => {
  const uploads = await takesPieces(({ method, body }, response) => {
    if (method !== 'PATCH' || body.length <= 1_000_000) return false;
    answer(response, 413);
    return true;
  });
  const registry = open(uploads.server);
  const progress: number[] = [];
  await registry.uploadBlob(BLOB, source, { progress: bytes => progress.push(bytes) });
  assert.deepEqual(uploads.blobs.get(BLOB.digest), DATA);
  assert.deepEqual(pieces(uploads), [3_000_000, 1_500_000, 750_000, 750_000, 750_000, 750_000]);
  assert.equal(progress.at(-1), DATA.length);
  uploads.blobs.clear();
  uploads.asked.length = 0;
  await registry.uploadBlob(BLOB, source);
  assert.deepEqual(uploads.blobs.get(BLOB.digest), DATA);
  assert.equal(uploads.asked.filter(one => one.method === 'PUT').length, 1);
});

test('an upload that breaks within a piece goes on where the registry says', async () => {
  let broken = 0;
  const uploads = await takesPieces(({ method, body }, response, { stored }) => {
    if (method !== 'PATCH' || broken > 0) return false;
    broken++;
    // A part of the piece was stored.
    uploads.stored = Buffer.concat([stored, body.subarray(0, 1_234_567)]);
    response.destroy();
    return true;
  });
  await open(uploads.server).uploadBlob(BLOB, source);
  assert.deepEqual(uploads.blobs.get(BLOB.digest), DATA);
  assert.deepEqual(pieces(uploads), [3_000_000, 3_000_000 - 1_234_567]);
  assert.equal(uploads.asked.filter(one => one.method === 'POST').length, 2);
});

test('an upload that the registry has forgotten begins anew', async () => {
  let failures = 0;
  const uploads = await takesPieces(({ method }, response) => {
    if (method === 'PATCH' && failures++ === 0) answer(response, 500);
    else if (method === 'GET') answer(response, 404);
    else return false;
    return true;
  });
  await open(uploads.server).uploadBlob(BLOB, source);
  assert.deepEqual(uploads.blobs.get(BLOB.digest), DATA);
  assert.equal(uploads.asked.filter(one => one.method === 'POST').length, 3);
});

test('pieces are as long as the registry wants them at least', async () => {
  const least = 2_000_000;
  const uploads = await takesPieces(({ method, body }, response) => {
    if (method === 'POST') answer(response, 202, '', { location: '/upload/1', 'oci-chunk-min-length': least });
    else if (method === 'PATCH' && body.length > 2_500_000) answer(response, 413);
    else return false;
    return true;
  });
  await open(uploads.server).uploadBlob(BLOB, source);
  assert.deepEqual(uploads.blobs.get(BLOB.digest), DATA);
  assert.deepEqual(pieces(uploads), [3_000_000, 2_000_000, 1_000_000]);
});

test('an answer 202 to the whole is no end of the upload', async () => {
  const uploads = await takesPieces(({ method, body }, response) => {
    if (method !== 'PUT' || body.length === 0) return false;
    answer(response, 202, '', { location: '/upload/1', range: '0-99' });
    return true;
  });
  await open(uploads.server).uploadBlob(BLOB, source);
  assert.deepEqual(uploads.blobs.get(BLOB.digest), DATA);
});

test('a registry that takes no bytes, or none of any length, is given up in one line', async () => {
  const idle = await takesPieces(({ method }, response, { stored }) => {
    if (method !== 'PATCH' || stored.length === 0) return false;
    answer(response, 202, '', { location: '/upload/1', range: '0-0' });
    return true;
  });
  // The first piece is taken, the second is not.
  const limited = open(idle.server);
  const long = { ...BLOB, size: 20 << 20 };
  const zeros = async function* (): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 20; count++) {
      await Promise.resolve();
      yield new Uint8Array(1 << 20);
    }
  };
  await assert.rejects(limited.uploadBlob(long, zeros), /team\/app: blob: it took other bytes than it was sent$/);
  const small = await takesPieces(({ method }, response) => {
    if (method === 'PATCH') answer(response, 413);
    return method === 'PATCH';
  });
  await assert.rejects(open(small.server).uploadBlob(BLOB, source), /team\/app: blob: answer 413$/);
});

test('a source that is too short is no upload', async () => {
  const uploads = await takesPieces();
  await assert.rejects(
    open(uploads.server).uploadBlob({ ...BLOB, size: BLOB.size + 1 }, source),
    /a blob of 3000001 bytes has 3000000/,
  );
  assert.equal(uploads.blobs.size, 0);
});
