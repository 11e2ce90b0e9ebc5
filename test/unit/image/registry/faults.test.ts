import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError, type RegistryErrorKind } from '../../../../src/image/registry/error.ts';
import { answer, LAYER, manifest, MANIFEST, sha256 } from './server.ts';
import { BLOB, fetch, LARGE, quickOpenings } from './transfer-fixture.ts';

const { start, open } = quickOpenings();

async function fails(action: Promise<unknown>, kind: RegistryErrorKind, words: RegExp): Promise<void> {
  await assert.rejects(action, (error: unknown) => {
    assert.ok(error instanceof RegistryError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, words);
    assert.ok(!error.message.includes('\n'));
    return true;
  });
}

test('a blob whose connection is reset in the middle goes on by range', async () => {
  const ranges: (string | undefined)[] = [];
  const server = await start((request, response, count) => {
    ranges.push(request.headers.range);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': LARGE.length - from,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${LARGE.length - 1}/${LARGE.length}` } : {}),
    });
    if (count <= 5)
      response.write(LARGE.subarray(from, from + (500 << 10)), () => setTimeout(() => response.destroy(), 20));
    else response.end(LARGE.subarray(from));
  });
  assert.deepEqual(await fetch(open(server)), LARGE);
  // More failures than tries are allowed: each brought half a megabyte.
  assert.equal(ranges.length, 6);
  assert.equal(ranges[0], undefined);
  assert.match(ranges[5] ?? '', /^bytes=\d+-$/);
});

test('a server without ranges sends all again, and nothing is taken twice', async () => {
  const server = await start((_request, response, count) => {
    response.writeHead(200, { 'content-length': LARGE.length });
    if (count === 1) response.write(LARGE.subarray(0, 1 << 20), () => setTimeout(() => response.destroy(), 20));
    else response.end(LARGE);
  });
  assert.deepEqual(await fetch(open(server)), LARGE);
});

test('a body that ends too early is tried again and then given up', async () => {
  const server = await start((_request, response) => answer(response, 200, LARGE.subarray(0, 1000)));
  await fails(fetch(open(server)), 'broken', /ended after 1000 of 3145728 bytes/);
  assert.equal(server.log.length, 4);
});

test('a stall is not waited for for ever, a slow line is', async () => {
  const stalled = await start((_request, response) => {
    response.writeHead(200, { 'content-length': LARGE.length });
    response.write(LARGE.subarray(0, 1000));
  });
  await fails(fetch(open(stalled, { stall: 0.2, retry: 0 })), 'stalled', /no bytes for 0.2 s/);
  const silent = await start(() => undefined);
  await fails(fetch(open(silent, { stall: 0.2, retry: 0 })), 'stalled', /no answer for 0.2 s/);
  const small = LARGE.subarray(0, 40);
  const slow = await start((_request, response) => {
    response.writeHead(200, { 'content-length': 40 });
    let sent = 0;
    const timer = setInterval(() => {
      response.write(small.subarray(sent, ++sent));
      if (sent === 40) clearInterval(timer);
    }, 25);
  });
  const began = performance.now();
  assert.deepEqual(
    await fetch(open(slow, { stall: 0.5 }), { mediaType: LAYER, digest: sha256(small), size: 40 }),
    small,
  );
  assert.ok(performance.now() - began > 900, 'longer than the stall limit');
  assert.equal(slow.log.length, 1);
});

test('a reader that takes its time is no stall', async () => {
  const server = await start((_request, response) => answer(response, 200, LARGE));
  let taken = 0;
  await open(server, { stall: 1 }).blob(BLOB, async chunk => {
    if (taken === 0) await new Promise(resolve => setTimeout(resolve, 2500));
    taken += chunk.length;
  });
  assert.equal(taken, LARGE.length);
  assert.equal(server.log.length, 1);
});

test('what a sink throws ends the transfer as it is', async () => {
  const server = await start((_request, response) => answer(response, 200, LARGE));
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  await assert.rejects(
    open(server).blob(BLOB, () => {
      throw full;
    }),
    full,
  );
  assert.equal(server.log.length, 1);
});

test('wrong bytes, too many bytes and too few are told apart', async () => {
  const wrong = Buffer.from(LARGE);
  wrong[77] = (wrong[77] ?? 0) ^ 1;
  const flipped = await start((_request, response) => answer(response, 200, wrong));
  await fails(fetch(open(flipped)), 'bad-digest', /has the digest/);
  const long = await start((_request, response) => answer(response, 200, Buffer.concat([LARGE, LARGE])));
  let taken = 0;
  await fails(
    open(long).blob(BLOB, chunk => void (taken += chunk.length), { unverified: true }),
    'bad-digest',
    /more bytes than the 3145728/,
  );
  assert.ok(taken <= LARGE.length);
});

test('T34 a manifest of 5 MB is not read to its end', async () => {
  const server = await start((_request, response) =>
    answer(response, 200, Buffer.alloc(5 << 20, 32), { 'content-type': MANIFEST }),
  );
  await fails(open(server).manifest(), 'too-large', /more than 4194304 bytes/);
  const endless = await start((_request, response) => {
    response.writeHead(200, { 'content-type': MANIFEST });
    const timer = setInterval(() => response.write(Buffer.alloc(1 << 20, 32)), 1);
    response.on('close', () => clearInterval(timer));
  });
  await fails(open(endless).manifest(), 'too-large', /more than/);
});

test('500s are tried again, and a server that stays ill is given up', async () => {
  const text = manifest(LARGE);
  const server = await start((_request, response, count) =>
    count < 4 ? answer(response, 503) : answer(response, 200, text, { 'content-type': MANIFEST }),
  );
  const notes: string[] = [];
  assert.equal((await open(server, { waiting: line => notes.push(line) }).manifest()).digest, sha256(text));
  assert.equal(notes.length, 3);
  assert.match(notes[0] ?? '', /failed with 503; trying again in/);
  const ill = await start((_request, response) =>
    answer(response, 500, '{"errors":[{"code":"UNKNOWN","message":"disk\\nfull"}]}'),
  );
  await fails(open(ill, { retry: 1 }).manifest(), 'broken', /failed with 500 \(disk full\)/);
  assert.equal(ill.log.length, 2);
});

test('429: Retry-After is obeyed, as seconds and as a date of the server, and not for an hour', async () => {
  const text = manifest(LARGE);
  const polite = await start((_request, response, count) => {
    if (count === 1) answer(response, 429, '', { 'retry-after': '1' });
    else answer(response, 200, text, { 'content-type': MANIFEST });
  });
  const began = performance.now();
  await open(polite).manifest();
  assert.ok(performance.now() - began >= 990);
  const past = new Date('2001-02-03T04:05:06Z');
  const skewed = await start((_request, response, count) => {
    const later = new Date(past.getTime() + 1000).toUTCString();
    if (count === 1) answer(response, 429, '', { date: past.toUTCString(), 'retry-after': later });
    else answer(response, 200, text, { 'content-type': MANIFEST });
  });
  const again = performance.now();
  await open(skewed).manifest();
  assert.ok(performance.now() - again >= 990);
  const closed = await start((_request, response) => answer(response, 429, '', { 'retry-after': '3600' }));
  await fails(open(closed).manifest(), 'broken', /too many requests/);
  assert.equal(closed.log.length, 1);
});

test('a redirect loop ends', async () => {
  const server = await start((request, response) => answer(response, 307, '', { location: `${request.url ?? ''}x` }));
  await fails(open(server).manifest(), 'policy', /more than 10 redirects/);
  assert.equal(server.log.length, 11);
});

test('not found, denied, and a port where nobody listens', async () => {
  const server = await start((request, response) =>
    request.url?.includes('manifests') === true
      ? answer(response, 404, '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
      : answer(response, 403),
  );
  await fails(open(server).manifest(), 'not-found', /team\/app:1: not found \(manifest unknown\)/);
  await fails(fetch(open(server)), 'denied', /access is denied/);
  await server.close();
  await fails(open(server, { retry: 0 }).manifest(), 'offline', /refused/);
});

test('what is no HTTP, and a head of 100 kB', async () => {
  const server = await start((_request, response) => answer(response, 200, '', { 'x-big': 'a'.repeat(100 << 10) }));
  await fails(open(server).manifest(), 'bad-answer', /too large a head|not an HTTP answer/);
});

test('the caller can end a transfer', async () => {
  const stop = new AbortController();
  const server = await start((_request, response) => {
    response.writeHead(200, { 'content-length': LARGE.length });
    response.write(LARGE.subarray(0, 1000), () => stop.abort());
  });
  await fails(
    open(server).blob(BLOB, () => undefined, { signal: stop.signal }),
    'aborted',
    /given up/,
  );
  assert.equal(server.log.length, 1);
});
