import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import * as http from 'node:http';
import { test } from 'node:test';
import { openRegistry } from '../../../../src/image/registry/open.ts';
import { answer, hostFor, manifest, MANIFEST, openings, sha256, type Server } from './server.ts';

const { opened, servers, start } = openings();
const TEXT = manifest(Buffer.from('a layer'));

/** A registry without TLS. Who tries that is cut off: the first at once, the others when something was answered. */
async function withoutTls(log: string[]): Promise<Server> {
  const late: Socket[] = [];
  let tries = 0;
  const inner = http.createServer((request, response) => {
    log.push(request.url ?? '');
    answer(response, 200, TEXT, { 'content-type': MANIFEST, 'docker-content-digest': sha256(TEXT) });
    response.once('close', () => late.splice(0).forEach(socket => socket.destroy()));
  });
  const outer = createServer(socket => {
    socket.on('error', () => undefined);
    socket.once('data', chunk => {
      if (chunk[0] === 0x16) return ++tries === 1 || log.length > 0 ? socket.destroy() : late.push(socket);
      socket.pause().unshift(chunk);
      inner.emit('connection', socket);
      return socket.resume();
    });
  });
  await new Promise<void>(resolve => outer.listen(0, '127.0.0.1', resolve));
  const address = outer.address();
  const host = `127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
  const close = (): Promise<void> =>
    new Promise(resolve => {
      outer.close(() => resolve());
      inner.closeAllConnections();
    });
  const server = { host, url: `http://${host}`, log, headers: [], close };
  servers.push(server);
  return server;
}

test('requests that are sent at once to a registry without TLS', async () => {
  const log: string[] = [];
  const server = await withoutTls(log);
  const registry = openRegistry(hostFor([server]), `${server.host}/team/app:1`, { retry: 0 });
  opened.push(registry);
  const digests = await Promise.all([registry.head(), registry.head(), registry.head()]);
  assert.deepEqual(new Set(digests), new Set([sha256(TEXT)]));
  assert.equal(log.length, 3);
});

test('a registry that cannot be reached is told to all who asked at once, and asked anew by who comes later', async () => {
  const server = await start((_request, response) => answer(response, 200, TEXT, { 'content-type': MANIFEST }));
  await server.close();
  const registry = openRegistry(hostFor([server]), `${server.host}/team/app:1`, { retry: 0 });
  opened.push(registry);
  const refused = /the connection is refused/;
  await Promise.all([registry.manifest(), registry.head()].map(one => assert.rejects(one, refused)));
  await assert.rejects(registry.manifest(), refused);
});
