import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../../../../src/image/registry/error.ts';
import { openRegistry } from '../../../../src/image/registry/open.ts';
import type { Registry, RegistryOptions } from '../../../../src/image/registry/types.ts';
import {
  answer,
  hostFor,
  LAYER,
  makeCertificate,
  manifest,
  MANIFEST,
  openings,
  serveTls,
  sha256,
  type Handler,
  type Server,
} from './server.ts';

const { servers, opened, start } = openings();

function open(server: Server, options: RegistryOptions = {}, files: Record<string, string> = {}): Registry {
  const host = hostFor(servers, { files, environment: { HOME: '/root' } });
  const registry = openRegistry(host, `${server.host}/team/app:1`, {
    retry: 1,
    retryDelay: 0.01,
    stall: 2,
    ...options,
  });
  opened.push(registry);
  return registry;
}

const DATA = Buffer.from('a layer');
const TEXT = manifest(DATA);
const BLOB = { mediaType: LAYER, digest: sha256(DATA), size: DATA.length };

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('a registry with passwords, from --creds and from auth.json', async () => {
  const server = await start((request, response) => {
    if (request.headers.authorization === basic('me:se:cret'))
      answer(response, 200, TEXT, { 'content-type': MANIFEST });
    else answer(response, 401, '', { 'www-authenticate': 'Basic realm="r"' });
  });
  await open(server, { creds: 'me:se:cret' }).manifest();
  const auths = (key: string, text: string): Record<string, string> => ({
    '/root/.config/containers/auth.json': JSON.stringify({
      auths: { [key]: { auth: Buffer.from(text).toString('base64') } },
    }),
  });
  await open(server, {}, auths(server.host, 'me:se:cret')).manifest();
  // The longest key counts.
  const both = JSON.stringify({
    auths: { [server.host]: { auth: btoa('x:y') }, [`${server.host}/team`]: { auth: btoa('me:se:cret') } },
  });
  await open(server, {}, { '/root/.config/containers/auth.json': both }).manifest();
  await assert.rejects(open(server, {}, auths(server.host, 'me:wrong-secret')).manifest(), (error: unknown) => {
    assert.ok(error instanceof RegistryError);
    assert.equal(error.kind, 'unauthorized');
    assert.ok(!error.message.includes('wrong-secret'));
    return true;
  });
  await assert.rejects(open(server, {}, auths('elsewhere.example', 'me:se:cret')).manifest(), /credentials/);
});

/** A registry whose tokens are good for a number of requests. */
function tokenRegistry(uses: number, expires = 300): Handler {
  let issued = 0;
  let left = 0;
  return (request, response) => {
    if (request.url?.startsWith('/token') === true) {
      assert.equal(request.headers.authorization, basic('me:secret'));
      issued++;
      left = uses;
      answer(
        response,
        200,
        JSON.stringify({ token: `t${issued}`, expires_in: expires, issued_at: '1999-01-01T00:00:00Z' }),
      );
      return;
    }
    if (request.headers.authorization === `Bearer t${issued}` && left-- > 0) {
      const manifests = request.url?.includes('/manifests/') === true;
      answer(response, 200, manifests ? TEXT : DATA, { 'content-type': MANIFEST });
      return;
    }
    const realm = `http://${request.headers.host ?? ''}/token`;
    answer(response, 401, '', {
      'www-authenticate': `Bearer realm="${realm}",service="r",scope="repository:team/app:pull"`,
    });
  };
}

test('tokens are asked for once, and again when they have run out; clocks may differ', async () => {
  const lasting = await start(tokenRegistry(100));
  const registry = open(lasting, { creds: 'me:secret' });
  await registry.manifest();
  await Promise.all([1, 2, 3].map(() => registry.blob(BLOB, () => undefined)));
  assert.equal(lasting.log.filter(line => line.includes('/token')).length, 1);
  assert.match(
    lasting.log.find(line => line.includes('/token')) ?? '',
    /service=r&scope=repository%3Ateam%2Fapp%3Apull&account=me$/,
  );
  const short = await start(tokenRegistry(1));
  const other = open(short, { creds: 'me:secret' });
  await other.manifest();
  await other.blob(BLOB, () => undefined);
  await other.blob(BLOB, () => undefined);
  assert.equal(short.log.filter(line => line.includes('/token')).length, 3);
});

test('a token that is never good enough is one error, not a loop', async () => {
  const server = await start(tokenRegistry(0));
  await assert.rejects(open(server, { creds: 'me:secret' }).manifest(), /not without the right credentials/);
  assert.equal(server.log.filter(line => line.includes('/token')).length, 1);
});

test('an identity token goes to the token service as a refresh token', async () => {
  const bodies: string[] = [];
  const server = await start((request, response) => {
    if (request.url === '/token') {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        bodies.push(body);
        answer(response, 200, JSON.stringify({ access_token: 'good' }));
      });
      return;
    }
    if (request.headers.authorization === 'Bearer good') answer(response, 200, TEXT, { 'content-type': MANIFEST });
    else
      answer(response, 401, '', {
        'www-authenticate': `Bearer realm="http://${request.headers.host ?? ''}/token",service="s"`,
      });
  });
  const file = JSON.stringify({ auths: { [server.host]: { identitytoken: 'id-token' } } });
  await open(server, {}, { '/root/.docker/config.json': file }).manifest();
  assert.match(bodies[0] ?? '', /grant_type=refresh_token.*refresh_token=id-token/);
});

test('T21 a registry cannot have the password sent elsewhere: by its token service or a redirect', async () => {
  const thief = await start((request, response) => {
    assert.equal(request.headers.authorization, undefined);
    answer(response, 200, DATA);
  });
  const realm = await start((_request, response) =>
    // localhost is another host than 127.0.0.1, and no https.
    answer(response, 401, '', {
      'www-authenticate': `Bearer realm="${thief.url.replace('127.0.0.1', 'localhost')}/token"`,
    }),
  );
  await assert.rejects(
    open(realm, { creds: 'me:secret' }).manifest(),
    /token service localhost:\d+ is not asked: it is not https/,
  );
  assert.deepEqual(thief.log, []);
  const redirecting = await start((request, response) => {
    if (request.headers.authorization === basic('me:secret'))
      answer(response, 307, '', { location: `${thief.url}/data?signature=abc` });
    else answer(response, 401, '', { 'www-authenticate': 'Basic realm="r"' });
  });
  let taken = '';
  await open(redirecting, { creds: 'me:secret' }).blob(BLOB, chunk => void (taken += Buffer.from(chunk).toString()));
  assert.equal(taken, 'a layer');
  assert.deepEqual(thief.log, ['GET /data?signature=abc']);
  // A 401 of the other host does not bring the password out either.
  const greedy = await start((request, response) => {
    assert.equal(request.headers.authorization, undefined);
    answer(response, 401, '', { 'www-authenticate': 'Basic realm="r"' });
  });
  const luring = await start((_request, response) => answer(response, 307, '', { location: `${greedy.url}/x` }));
  await assert.rejects(
    open(luring, { creds: 'me:secret' }).blob(BLOB, () => undefined),
    /credentials/,
  );
  assert.equal(greedy.log.length, 1);
});

test('TLS: an authority of certs.d is believed, another is not, a client shows its certificate', async () => {
  const pair = makeCertificate();
  const server = await serveTls(
    (_request, response) => answer(response, 200, TEXT, { 'content-type': MANIFEST }),
    pair,
  );
  servers.push(server);
  const connect = (files: Record<string, string>, options: RegistryOptions = {}): Registry => {
    const registry = openRegistry(hostFor([], { files, environment: { HOME: '/root' } }), `${server.host}/team/app:1`, {
      retry: 0,
      ...options,
    });
    opened.push(registry);
    return registry;
  };
  await connect({ [`/etc/containers/certs.d/${server.host}/ca.crt`]: pair.cert }).manifest();
  await connect({ '/my/certs/any.crt': pair.cert }, { certDir: '/my/certs' }).manifest();
  await connect({}, { tlsVerify: false }).manifest();
  await assert.rejects(connect({}).manifest(), /not from an authority known here .*certs\.d/);
  const wrongName = makeCertificate('DNS:other.example');
  const misnamed = await serveTls((_request, response) => answer(response, 200, TEXT), wrongName);
  servers.push(misnamed);
  const certs = { [`/etc/containers/certs.d/${misnamed.host}/ca.crt`]: wrongName.cert };
  const registry = openRegistry(hostFor([], { files: certs }), `${misnamed.host}/team/app:1`, { retry: 0 });
  opened.push(registry);
  await assert.rejects(registry.manifest(), /certificate is for another name/);
  const strict = await serveTls(
    (_request, response) => answer(response, 200, TEXT, { 'content-type': MANIFEST }),
    pair,
    {
      requestCert: true,
      rejectUnauthorized: true,
      ca: [pair.cert],
    },
  );
  servers.push(strict);
  const directory = `/etc/containers/certs.d/${strict.host}`;
  const client = {
    [`${directory}/ca.crt`]: pair.cert,
    [`${directory}/client.cert`]: pair.cert,
    [`${directory}/client.key`]: pair.key,
  };
  const own = openRegistry(hostFor([], { files: client }), `${strict.host}/team/app:1`, { retry: 0 });
  opened.push(own);
  await own.manifest();
});

test('plain http needs insecure = true', async () => {
  const server = await start((_request, response) => answer(response, 200, TEXT, { 'content-type': MANIFEST }));
  const registry = openRegistry(hostFor([]), `${server.host}/team/app:1`, { retry: 0 });
  opened.push(registry);
  await assert.rejects(registry.manifest(), /does not speak TLS; .*insecure = true/);
  assert.deepEqual(server.log, []);
});
