import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as http from 'node:http';
import * as net from 'node:net';
import { test } from 'node:test';
import { openRegistry } from '../../../../src/image/registry/open.ts';
import type { Digest } from '../../../../src/image/types.ts';
import type { Registry, RegistryOptions } from '../../../../src/image/registry/types.ts';
import {
  answer,
  hostFor,
  INDEX,
  LAYER,
  makeCertificate,
  manifest,
  MANIFEST,
  openings,
  serveTls,
  sha256,
} from './server.ts';

const { servers, opened, start } = openings();

function open(name: string, files: Record<string, string> = {}, options: RegistryOptions = {}): Registry {
  const registry = openRegistry(hostFor(servers, { files }), name, {
    retry: 2,
    retryDelay: 0.01,
    stall: 2,
    ...options,
  });
  opened.push(registry);
  return registry;
}

const DATA = randomBytes(300_000);
const BLOB = { mediaType: LAYER, digest: sha256(DATA), size: DATA.length };

function bodyOf(request: http.IncomingMessage): Promise<Buffer> {
  return new Promise(resolve => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => resolve(Buffer.concat(parts)));
  });
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < DATA.length; at += 100_000) {
    await Promise.resolve();
    yield DATA.subarray(at, at + 100_000);
  }
}

test('blobs and a manifest are pushed; an upload that fails begins anew', async () => {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, string>();
  let failures = 1;
  const server = await start((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    if (request.method === 'HEAD') return answer(response, blobs.has(url.pathname.split('/').at(-1) ?? '') ? 200 : 404);
    if (request.method === 'POST')
      return answer(response, 202, '', { location: `/upload/1?state=${url.searchParams.get('mount') ?? 'none'}` });
    void bodyOf(request).then(body => {
      if (url.pathname.startsWith('/upload') && failures-- > 0) return answer(response, 500);
      if (url.pathname.startsWith('/upload')) blobs.set(url.searchParams.get('digest') ?? '', body);
      else manifests.set(url.pathname, body.toString());
      return answer(response, 201);
    });
    return undefined;
  });
  const registry = open(`${server.host}/team/app:1`);
  assert.equal(await registry.hasBlob(BLOB.digest), false);
  const progress: number[] = [];
  await registry.uploadBlob(BLOB, pieces, { progress: bytes => progress.push(bytes) });
  assert.deepEqual(blobs.get(BLOB.digest), DATA);
  assert.equal(progress.at(-1), DATA.length);
  assert.ok(server.log.some(line => line.startsWith('PUT /upload/1?state=none&digest=sha256%3A')));
  assert.equal(await registry.hasBlob(BLOB.digest), true);
  assert.equal(await registry.mountBlob(BLOB.digest, 'other/app'), false);
  const text = manifest(DATA);
  assert.equal(await registry.putManifest(MANIFEST, text), sha256(text));
  assert.equal(manifests.get('/v2/team/app/manifests/1'), text);
  await assert.rejects(
    registry.uploadBlob({ ...BLOB, size: DATA.length + 1 }, pieces),
    /a blob of 300001 bytes has 300000/,
  );
});

test('an upload to another host gets no credentials', async () => {
  const store = await start((request, response) => {
    assert.equal(request.headers.authorization, undefined);
    request.resume().on('end', () => answer(response, 201));
  });
  const server = await start((request, response) => {
    if (request.headers.authorization === undefined)
      answer(response, 401, '', { 'www-authenticate': 'Basic realm="r"' });
    else answer(response, 202, '', { location: `${store.url}/put?signed=1` });
  });
  await open(`${server.host}/team/app:1`, {}, { creds: 'me:secret' }).uploadBlob(BLOB, pieces);
  assert.deepEqual(store.log, [`PUT /put?signed=1&digest=${encodeURIComponent(BLOB.digest)}`]);
});

test('T21 an upload does not go from https to http', async () => {
  const plain = await start((_request, response) => answer(response, 201));
  for (const again of [false, true]) {
    let asked = 0;
    const server = await serveTls((request, response) => {
      request.resume().on('end', () => {
        // At once, or after a piece.
        const location = again && asked++ === 0 ? '/upload/1' : `${plain.url}/put`;
        if (request.method === 'PUT') answer(response, 413);
        else answer(response, 202, '', { location });
      });
    }, makeCertificate());
    servers.push(server);
    await assert.rejects(open(`${server.host}/team/app:1`).uploadBlob(BLOB, pieces), {
      kind: 'policy',
      message: /nothing is uploaded to 127\.0\.0\.1:\d+: it leads from https to http/,
    });
  }
  assert.deepEqual(plain.log, []);
});

test('a list of tags in pages, and one that goes on elsewhere', async () => {
  const server = await start((request, response) => {
    const last = new URL(request.url ?? '', 'http://x').searchParams.get('last');
    if (last === null)
      answer(response, 200, '{"tags":["a","b"]}', { link: '</v2/team/app/tags/list?last=b&n=2>; rel="next"' });
    else if (last === 'b') answer(response, 200, '{"tags":["c"]}');
  });
  assert.deepEqual(await open(`${server.host}/team/app:1`).tags(), ['a', 'b', 'c']);
  const luring = await start((_request, response) =>
    answer(response, 200, '{"tags":["a"]}', { link: '<http://evil.example/>; rel=next' }),
  );
  await assert.rejects(open(`${luring.host}/team/app:1`).tags(), /goes on at evil\.example, which is not asked/);
});

test('mirrors: the one that fails is said, the next one takes over in the middle of a blob', async () => {
  const text = manifest(DATA);
  const mirror = await start((request, response) => {
    if (request.url?.includes('/manifests/') === true) return answer(response, 200, text, { 'content-type': MANIFEST });
    response.writeHead(200, { 'content-length': DATA.length });
    return response.write(DATA.subarray(0, 1000), () => setTimeout(() => response.destroy(), 20));
  });
  const ranges: (string | undefined)[] = [];
  const own = await start((request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    answer(response, 206, DATA.subarray(from), { 'content-range': `bytes ${from}-${DATA.length - 1}/${DATA.length}` });
  });
  const conf = `[[registry]]\nlocation="r.example"\n[[registry.mirror]]\nlocation="${mirror.host}"\ninsecure=true\n[[registry.mirror]]\nlocation="${own.host}"\ninsecure=true\n`;
  const notes: string[] = [];
  const registry = open(
    'r.example/team/app:1',
    { '/etc/containers/registries.conf': conf },
    { note: line => notes.push(line), retry: 0 },
  );
  assert.equal((await registry.manifest()).digest, sha256(text));
  const taken: Buffer[] = [];
  await registry.blob(BLOB, chunk => void taken.push(Buffer.from(chunk)));
  assert.deepEqual(Buffer.concat(taken), DATA);
  assert.match(notes[0] ?? '', /^mirror 127\.0\.0\.1:\d+.*cut off/);
  assert.deepEqual(ranges, ['bytes=1000-']);
});

test('mirrors: while another endpoint is left, one that fails is asked once', async () => {
  const text = manifest(DATA);
  let asked = 0;
  const mirror = await start((_request, response) => {
    asked++;
    answer(response, 503, '');
  });
  const own = await start((_request, response) => answer(response, 200, text, { 'content-type': MANIFEST }));
  const conf = `[[registry]]\nlocation="${own.host}"\ninsecure=true\n[[registry.mirror]]\nlocation="${mirror.host}"\ninsecure=true\n`;
  const host = hostFor(servers, { files: { '/etc/containers/registries.conf': conf } });
  const registry = openRegistry(host, `${own.host}/team/app:1`, { retryDelay: 0.01 });
  opened.push(registry);
  assert.equal((await registry.manifest()).digest, sha256(text));
  assert.equal(asked, 1);
});

test('an index is followed to the platform, verified at each step, and head tells the digest of the tag', async () => {
  const text = manifest(DATA);
  const entry = {
    mediaType: MANIFEST,
    digest: sha256(text),
    size: text.length,
    platform: { os: 'linux', architecture: 's390x' },
  };
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [entry] });
  const server = await start((request, response) => {
    const byTag = request.url?.endsWith('/1') === true;
    const body = byTag ? index : text;
    answer(response, 200, request.method === 'HEAD' ? '' : body, {
      'content-type': byTag ? INDEX : MANIFEST,
      ...(request.headers['x-none'] === undefined ? { 'docker-content-digest': sha256(body) } : {}),
    });
  });
  const registry = open(`${server.host}/team/app:1`);
  const found = await registry.manifest({ os: 'linux', architecture: 's390x' });
  assert.deepEqual([found.digest, found.named], [sha256(text), sha256(index)]);
  assert.equal(await registry.head(), sha256(index));
  await assert.rejects(
    registry.manifest({ os: 'plan9', architecture: '386' }),
    /no image for plan9\/386; there is linux\/s390x/,
  );
  const other: Digest = sha256('something else');
  await assert.rejects(open(`${server.host}/team/app@${other}`).manifest(), /has the digest .*, not/);
});

test('through a proxy: CONNECT for https, and its refusal is said without its password', async () => {
  const pair = makeCertificate('DNS:registry.test');
  const text = manifest(DATA);
  const secure = await serveTls(
    (_request, response) => answer(response, 200, text, { 'content-type': MANIFEST }),
    pair,
  );
  servers.push(secure);
  const asked: string[] = [];
  const proxy = http.createServer().on('connect', (request: http.IncomingMessage, socket: net.Socket) => {
    asked.push(`${request.url ?? ''} ${request.headers['proxy-authorization'] ?? ''}`);
    if (request.url?.startsWith('forbidden') === true) return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const port = Number(secure.host.split(':')[1]);
    const onward = net.connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on('error', () => undefined);
    return undefined;
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = proxy.address() as net.AddressInfo;
    const environment = { HTTPS_PROXY: `http://user:hidden@127.0.0.1:${port}` };
    const files = { '/etc/containers/certs.d/registry.test/ca.crt': pair.cert };
    const through = (name: string): Registry => {
      const registry = openRegistry(hostFor([], { files, environment }), name, { retry: 0, stall: 5 });
      opened.push(registry);
      return registry;
    };
    assert.equal((await through('registry.test/team/app:1').manifest()).digest, sha256(text));
    assert.deepEqual(asked, [`registry.test:443 Basic ${btoa('user:hidden')}`]);
    await assert.rejects(through('forbidden.test/x:1').manifest(), (error: Error) => {
      assert.match(error.message, /forbidden\.test:443: the proxy 127\.0\.0\.1:\d+ refuses the connection \(403\)/);
      return !error.message.includes('hidden');
    });
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
