import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAYER, sha256 } from './server.ts';
import { BLOB, fetch, LARGE, quickOpenings } from './transfer-fixture.ts';

const { start, open } = quickOpenings();

test('a range that begins elsewhere, or does not say where, is not taken: all is asked for', async () => {
  const ranges: (string | undefined)[] = [];
  for (const said of [{ 'content-range': `bytes 0-9/${LARGE.length}` }, {}]) {
    const server = await start((request, response, count) => {
      ranges.push(request.headers.range);
      if (request.headers.range !== undefined) {
        response.writeHead(206, { 'content-length': 10, ...said });
        response.end(LARGE.subarray(0, 10));
        return;
      }
      response.writeHead(200, { 'content-length': LARGE.length });
      if (count === 1) response.write(LARGE.subarray(0, 1 << 20), () => setTimeout(() => response.destroy(), 20));
      else response.end(LARGE);
    });
    assert.deepEqual(await fetch(open(server)), LARGE);
    assert.equal(ranges.splice(0).filter(range => range !== undefined).length, 1);
  }
  const stubborn = await start((_request, response, count) => {
    response.writeHead(count === 1 ? 200 : 206, { 'content-length': LARGE.length });
    response.write(LARGE.subarray(0, 1 << 20), () => setTimeout(() => response.destroy(), 20));
  });
  await assert.rejects(fetch(open(stubborn)), { kind: 'bad-answer', message: /answer 206/ });
});

test('when a range is refused all is asked for, and what is known is passed over', async () => {
  const from = 1 << 20;
  for (const status of [416, 400]) {
    const ranges: (string | undefined)[] = [];
    const server = await start((request, response) => {
      ranges.push(request.headers.range);
      response.writeHead(request.headers.range === undefined ? 200 : status);
      response.end(request.headers.range === undefined ? LARGE : '');
    });
    const chunks: Buffer[] = [];
    const sink = (chunk: Uint8Array): void => void chunks.push(Buffer.from(chunk));
    await open(server).blob(BLOB, sink, { offset: from, unverified: true });
    assert.deepEqual(Buffer.concat(chunks), LARGE.subarray(from));
    assert.deepEqual(ranges, [`bytes=${from}-`, undefined]);
  }
});

test('an answer that is not about the range is not asked for again without it', async () => {
  for (const [status, kind] of [
    [403, 'denied'],
    [404, 'not-found'],
    [304, 'bad-answer'],
  ] as const) {
    const ranges: (string | undefined)[] = [];
    const server = await start((request, response) => {
      ranges.push(request.headers.range);
      response.writeHead(status).end();
    });
    const fetching = open(server).blob(BLOB, () => undefined, { offset: 10, unverified: true });
    await assert.rejects(fetching, { kind });
    assert.deepEqual(ranges, ['bytes=10-']);
  }
});

test('who waits for a connection that others have is not stalled', async () => {
  const small = LARGE.subarray(0, 20);
  const server = await start((_request, response) => {
    response.writeHead(200, { 'content-length': 20 });
    let sent = 0;
    const timer = setInterval(() => {
      response.write(small.subarray(sent, ++sent));
      if (sent < 20) return;
      clearInterval(timer);
      response.end();
    }, 40);
  });
  const registry = open(server, { stall: 0.5, retry: 0 });
  const blob = { mediaType: LAYER, digest: sha256(small), size: 20 };
  await fetch(registry, blob);
  // Eight connections, each for longer than the stall limit.
  const came = await Promise.all(Array.from({ length: 17 }, () => fetch(registry, blob)));
  assert.ok(came.every(one => one.equals(small)));
});
