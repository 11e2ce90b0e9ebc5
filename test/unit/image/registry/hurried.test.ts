import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openRegistry, retryRules } from '../../../../src/image/registry/open.ts';
import type { Registry, RegistryOptions } from '../../../../src/image/registry/types.ts';
import { answer, hostFor, LAYER, openings, sha256, type Handler, type Server } from './server.ts';

const { opened, start } = openings();

/** t/app:1 of `server` behind `mirror`. */
function open(server: Server, mirror: Server, options: RegistryOptions): Registry {
  const conf = `[[registry]]\nlocation = "${server.host}"\ninsecure = true\n[[registry.mirror]]\nlocation = "${mirror.host}"\ninsecure = true\n`;
  const host = hostFor([], { files: { '/etc/containers/registries.conf': conf } });
  const registry = openRegistry(host, `${server.host}/t/app:1`, { retryDelay: 0.01, ...options });
  opened.push(registry);
  return registry;
}

const ill: Handler = (_request, response) => answer(response, 503);

test('hurried, a registry is asked twice and its mirror once, however many tries there were to be', async () => {
  for (const retry of [{}, { retry: 9 }]) {
    const [server, mirror] = [await start(ill), await start(ill)];
    await assert.rejects(open(server, mirror, { ...retry, hurried: true }).head(), { kind: 'broken' });
    assert.deepEqual([mirror.log.length, server.log.length], [1, 2]);
  }
  const [server, mirror] = [await start(ill), await start(ill)];
  await assert.rejects(open(server, mirror, { retry: 0, hurried: true }).head(), { kind: 'broken' });
  assert.deepEqual([mirror.log.length, server.log.length], [1, 1]);
  await assert.rejects(open(server, mirror, { retry: 2 }).head(), { kind: 'broken' });
  assert.deepEqual([mirror.log.length, server.log.length], [4, 4]);
});

test('hurried, neither Retry-After nor --retry-delay is waited for longer than some seconds', async () => {
  const [busy, mirror] = [
    await start((_request, response) => answer(response, 429, '', { 'retry-after': '60' })),
    await start(ill),
  ];
  const began = performance.now();
  await assert.rejects(open(busy, mirror, { hurried: true }).head(), { kind: 'broken' });
  await assert.rejects(open(mirror, mirror, { hurried: true, retryDelay: 60 }).head(), { kind: 'broken' });
  assert.ok(performance.now() - began < 50_000);
  assert.deepEqual([retryRules({}).longest, retryRules({ hurried: true }).longest], [120, 5]);
});

test('what a server without ranges sends once more is told of as it comes', async () => {
  const blob = randomBytes(2 << 20);
  const server = await start((_request, response) => {
    response.writeHead(200, { 'content-length': blob.length });
    response.end(blob);
  });
  const [chunks, order]: [Buffer[], string[]] = [[], []];
  await open(server, server, {}).blob(
    { mediaType: LAYER, digest: sha256(blob), size: blob.length },
    chunk => void chunks.push(Buffer.from(chunk)),
    { offset: 1 << 20, unverified: true, again: () => order.push('again'), progress: () => order.push('new') },
  );
  assert.ok(Buffer.concat(chunks).equals(blob.subarray(1 << 20)));
  assert.ok(order.filter(word => word === 'again').length >= 8, order.join(' '));
  assert.ok(order.lastIndexOf('again') < order.indexOf('new'), order.join(' '));
});
