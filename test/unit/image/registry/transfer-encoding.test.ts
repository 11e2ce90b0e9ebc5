import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type * as http from 'node:http';
import { test } from 'node:test';
import { openRegistry } from '../../../../src/image/registry/open.ts';
import type { Descriptor, Registry } from '../../../../src/image/registry/types.ts';
import { CONFIG, hostFor, LAYER, manifest, MANIFEST, openings, sha256, type Server } from './server.ts';

const { servers, opened, start } = openings();

const DATA = randomBytes(1_000_000);
const BLOB: Descriptor = { mediaType: LAYER, digest: sha256(DATA), size: DATA.length };

function open(server: Server): Registry {
  const registry = openRegistry(hostFor(servers), `${server.host}/team/app:1`, {
    retry: 2,
    retryDelay: 0.01,
    stall: 1,
  });
  opened.push(registry);
  return registry;
}

/** In pieces, without a Content-Length (RFC 9112, 7.1). */
function inChunks(response: http.ServerResponse, bytes: Buffer, headers: http.OutgoingHttpHeaders = {}): void {
  response.writeHead(200, headers);
  for (let at = 0; at < bytes.length; at += 99_999) response.write(bytes.subarray(at, at + 99_999));
  response.end();
}

async function fetch(registry: Registry, blob = BLOB): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await registry.blob(blob, chunk => void chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

test('manifest, configuration and layer may come without a length', async () => {
  const text = manifest(DATA);
  const server = await start((request, response) => {
    const url = request.url ?? '';
    if (url.includes('/manifests/')) inChunks(response, Buffer.from(text), { 'content-type': MANIFEST });
    else inChunks(response, url.endsWith(BLOB.digest) ? DATA : Buffer.from('{}'));
  });
  const registry = open(server);
  assert.equal((await registry.manifest()).digest, sha256(text));
  assert.equal(await registry.document({ mediaType: CONFIG, digest: sha256('{}'), size: 2 }, 100), '{}');
  assert.deepEqual(await fetch(registry), DATA);
});

test('a body without a length that ends within a chunk is not taken for whole', async () => {
  const ranges: (string | undefined)[] = [];
  const server = await start((request, response, count) => {
    ranges.push(request.headers.range);
    if (count > 1) return inChunks(response, DATA);
    // The head of a chunk of 64 kB, a part of it, and the end of the connection.
    const socket = response.socket;
    socket?.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n');
    socket?.end(DATA.subarray(0, 50_000));
  });
  assert.deepEqual(await fetch(open(server)), DATA);
  assert.equal(ranges.length, 2);
  assert.match(ranges[1] ?? '', /^bytes=\d+-$/);
});

test('a body without a length has no more bytes than the manifest says, and no fewer', async () => {
  const more = await start((_request, response) => inChunks(response, Buffer.concat([DATA, DATA])));
  await assert.rejects(fetch(open(more)), /more bytes than the 1000000 that the manifest says/);
  const fewer = await start((_request, response) => inChunks(response, DATA.subarray(0, 999_999)));
  await assert.rejects(fetch(open(fewer)), /999999 of 1000000 bytes/);
  const huge = await start((_request, response) =>
    inChunks(response, Buffer.alloc(5 << 20, 32), { 'content-type': MANIFEST }),
  );
  await assert.rejects(open(huge).manifest(), /more than 4194304 bytes/);
});
