import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushImage } from '../../../../src/image/send/push.ts';
import { openRegistry } from '../../../../src/image/registry/open.ts';
import type { ImageRecord } from '../../../../src/image/types.ts';
import { answer, CONFIG, hostFor, manifest, openings, sha256 } from '../registry/server.ts';

const { servers, opened, start } = openings();

test('a manifest that is damaged in the store is not sent: another is made', async () => {
  const sent: string[] = [];
  const server = await start((request, response) => {
    if (request.method === 'HEAD') return answer(response, 200);
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      sent.push(body);
      answer(response, 201);
    });
    return undefined;
  });
  const whole = manifest(Buffer.alloc(0), { layers: [] });
  const id = sha256('{}').slice(7);
  const record = { version: 1, id, layers: [], manifest: sha256(whole) } as unknown as ImageRecord;
  for (const kept of [whole, whole.slice(1), whole.replace('"size":2', '"size":3')]) {
    const blobs = { [`/s/blobs/sha256/${sha256(whole).slice(7)}`]: kept, [`/s/blobs/sha256/${id}`]: '{}' };
    const host = hostFor(servers, { files: blobs });
    const registry = openRegistry(host, `${server.host}/team/app:1`, { retry: 0 });
    opened.push(registry);
    await pushImage(host, '/s', '/s/tmp', record, registry, [], () => undefined);
  }
  assert.equal(sent[0], whole);
  for (const made of sent.slice(1))
    assert.deepEqual((JSON.parse(made) as { config: unknown }).config, {
      mediaType: CONFIG,
      digest: `sha256:${id}`,
      size: 2,
    });
  assert.equal(sent.length, 3);
});
