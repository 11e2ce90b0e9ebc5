import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRegistry } from '../../../../src/image/registry/open.ts';
import type { Registry } from '../../../../src/image/registry/types.ts';
import { answer, hostFor, manifest, MANIFEST, openings, sha256, type Handler } from './server.ts';

const { servers, opened, start } = openings();
const TEXT = manifest(Buffer.from('a layer'));

async function open(busy: Handler, waiting?: (line: string) => void): Promise<Registry> {
  const server = await start((request, response, count) => {
    if (request.url?.startsWith('/token') === true) return busy(request, response, count);
    if (request.headers.authorization === 'Bearer good')
      return answer(response, 200, TEXT, { 'content-type': MANIFEST });
    answer(response, 401, '', { 'www-authenticate': `Bearer realm="http://${request.headers.host ?? ''}/token"` });
  });
  const registry = openRegistry(hostFor(servers), `${server.host}/team/app:1`, {
    retry: 2,
    retryDelay: 0.01,
    ...(waiting === undefined ? {} : { waiting }),
  });
  opened.push(registry);
  return registry;
}

test('a token service that is busy is left alone for as long as it says, and asked again', async () => {
  const notes: string[] = [];
  const busy = await open(
    (_request, response, count) => {
      if (count === 1) answer(response, 429, '', { 'retry-after': '1' });
      else if (count === 2) answer(response, 503);
      else answer(response, 200, '{"token":"good"}');
    },
    line => notes.push(line),
  );
  const began = performance.now();
  assert.equal((await busy.manifest()).digest, sha256(TEXT));
  assert.ok(performance.now() - began >= 990);
  assert.match(notes[0] ?? '', /token service 127\.0\.0\.1:\d+ answers 429; trying again in 1\.0 s$/);
  assert.match(notes[1] ?? '', /answers 503; trying again/);
});

test('a token service that is closed for an hour is not waited for', async () => {
  let asked = 0;
  const closed = await open((_request, response) => {
    asked++;
    answer(response, 429, '', { 'retry-after': '3600' });
  });
  await assert.rejects(closed.manifest(), /token service 127\.0\.0\.1:\d+ answers 429$/);
  assert.equal(asked, 1);
});
