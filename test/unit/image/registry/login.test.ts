import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../../src/host/fake.ts';
import { checkLogin, parseLoginName } from '../../../../src/image/registry/account.ts';
import { forgetAll, forgetCredentials, keepCredentials } from '../../../../src/image/registry/auth-write.ts';
import { readRegistriesConf } from '../../../../src/image/registry/registries-conf.ts';
import { searchRegistry } from '../../../../src/image/registry/search.ts';
import { parseDelay } from '../../../../src/image/registry/options.ts';
import { waitBefore } from '../../../../src/image/registry/retry.ts';
import { answer, hostFor, serve, type Handler, type Server } from './server.ts';

const servers: Server[] = [];
afterEach(() => Promise.all(servers.splice(0).map(server => server.close())));

async function start(handler: Handler): Promise<Server> {
  const server = await serve(handler);
  servers.push(server);
  return server;
}

const FILE = '/run/user/1000/containers/auth.json';
const FILES = readRegistriesConf(fakeHost());

function host(files: Record<string, string> = {}, run?: (argv: readonly string[], input: string) => void): FakeHost {
  return fakeHost({
    files,
    environment: { XDG_RUNTIME_DIR: '/run/user/1000', HOME: '/home/a' },
    uid: 1000,
    run: request => {
      run?.(request.argv, String(request.input));
      return { status: 0, stdout: '{"Username":"u","Secret":"s"}', stderr: '' };
    },
    calls: { access: path => path in files },
  });
}

test('credentials are kept beside what else is in the file, whole and for the owner alone', () => {
  const machine = host({ [FILE]: '{"other":{"a":1},"auths":{"b.io":{"auth":"eDp5"}}}' });
  assert.equal(keepCredentials(machine, FILES, undefined, 'r.io/team', 'me', 's:ä'), FILE);
  const written = JSON.parse(machine.readFile(FILE)) as Record<string, unknown>;
  const auth = Buffer.from('me:s:ä', 'latin1').toString('base64');
  assert.deepEqual(written, { other: { a: 1 }, auths: { 'b.io': { auth: 'eDp5' }, 'r.io/team': { auth } } });
  assert.ok(machine.log.some(line => line.startsWith(`writeFileAtomic(${FILE}`)));
  assert.equal(forgetCredentials(machine, FILES, undefined, 'r.io/team'), true);
  assert.equal(forgetCredentials(machine, FILES, undefined, 'r.io/team'), false);
  forgetAll(machine, FILES, undefined);
  assert.deepEqual(JSON.parse(machine.readFile(FILE)), { other: { a: 1 }, auths: {} });
  assert.throws(() => keepCredentials(machine, FILES, undefined, 'r.io', 'a:b', 'x'), /cannot hold a colon/);
});

test('a helper gets the secret through standard input, the file does not', () => {
  const calls: string[] = [];
  const machine = host({ [FILE]: '{"credHelpers":{"r.io":"vault"}}' }, (argv, input) =>
    calls.push(`${argv.join(' ')} <${input}`),
  );
  keepCredentials(machine, FILES, undefined, 'r.io', 'me', 'secret');
  assert.deepEqual(calls, ['docker-credential-vault store <{"ServerURL":"r.io","Username":"me","Secret":"secret"}']);
  assert.equal(machine.readFile(FILE), '{"credHelpers":{"r.io":"vault"}}');
  assert.equal(forgetCredentials(machine, FILES, undefined, 'r.io'), true);
  assert.deepEqual(calls.slice(1), ['docker-credential-vault get <r.io', 'docker-credential-vault erase <r.io']);
});

test('the helpers of registries.conf keep what is to be kept: the first that can', () => {
  const kept = new Map<string, string>();
  const machine = (helpers: string): FakeHost =>
    fakeHost({
      files: { '/etc/containers/registries.conf': `credential-helpers=${helpers}\n`, [FILE]: '{"auths":{}}' },
      environment: { XDG_RUNTIME_DIR: '/run/user/1000' },
      uid: 1000,
      run: ({ argv: [program = '', verb], ...request }) => {
        const input = String(request.input);
        const key = verb === 'store' ? (JSON.parse(input) as { ServerURL: string }).ServerURL : input;
        if (program.endsWith('broken')) return { status: 1, stdout: '', stderr: '' };
        const known = kept.get(key);
        if (verb === 'store') kept.set(key, input);
        if (verb === 'erase') kept.delete(key);
        if (verb === 'list') return { status: 0, stdout: JSON.stringify(Object.fromEntries(kept)), stderr: '' };
        if (verb === 'get' && known === undefined) return { status: 1, stdout: 'credentials not found', stderr: '' };
        return { status: 0, stdout: known?.replace('ServerURL', 'x') ?? '', stderr: '' };
      },
    });
  const both = machine('["broken", "ring", "containers-auth.json"]');
  const conf = readRegistriesConf(both);
  assert.equal(keepCredentials(both, conf, undefined, 'r.io', 'me', 'secret'), 'credential helper ring');
  assert.match(kept.get('r.io') ?? '', /"Secret":"secret"/);
  assert.equal(both.readFile(FILE), '{"auths":{}}');
  // A part of a registry no helper knows: then it is the file's.
  assert.equal(keepCredentials(both, conf, undefined, 'r.io/team', 'me', 'x'), FILE);
  const ring = machine('["ring"]');
  const alone = readRegistriesConf(ring);
  assert.throws(
    () => keepCredentials(ring, alone, undefined, 'r.io/team', 'me', 'x'),
    /keeps those of whole registries/,
  );
  assert.equal(forgetCredentials(ring, alone, undefined, 'r.io'), true);
  assert.equal(forgetCredentials(ring, alone, undefined, 'r.io'), false);
  for (const key of ['a.io', 'b.io']) keepCredentials(ring, alone, undefined, key, 'me', 'x');
  forgetAll(ring, alone, undefined);
  assert.equal(kept.size, 0);
  // One that fails does not hide what another has.
  keepCredentials(both, conf, undefined, 'r.io', 'me', 'x');
  assert.throws(() => forgetCredentials(both, conf, undefined, 'r.io'), /docker-credential-broken get: ended with 1/);
  assert.equal(kept.size, 0);
  assert.deepEqual(readRegistriesConf(machine('[]')).credentialHelpers, ['containers-auth.json']);
});

test('names of registries', () => {
  const conf = readRegistriesConf(host());
  assert.deepEqual(parseLoginName(conf, 'r.io:5000/team'), {
    key: 'r.io:5000/team',
    registry: 'r.io:5000',
    path: 'team',
  });
  assert.equal(parseLoginName(conf, 'localhost').key, 'localhost');
  for (const bad of ['https://r.io', 'r.io/', 'name', 'a b', 'r.io/x:1', '../x'])
    assert.throws(() => parseLoginName(conf, bad), /not a registry/, bad);
  assert.throws(() => parseLoginName(conf, undefined), /name a registry/);
});

test('a login is tried: accepted, not accepted, and no registry at all', async () => {
  const server = await start((request, response) => {
    if (request.url !== '/v2/') answer(response, 404);
    else if (request.headers.authorization === `Basic ${btoa('me:good')}`) answer(response, 200, '{}');
    else answer(response, 401, '', { 'www-authenticate': 'Basic realm="r"' });
  });
  const machine = hostFor([server]);
  const conf = readRegistriesConf(machine);
  const name = parseLoginName(conf, server.host);
  const attempt = (password: string): Promise<void> =>
    checkLogin(machine, conf, name, { kind: 'password', user: 'me', password }, { retry: 0 });
  await attempt('good');
  await assert.rejects(
    attempt('bad-word'),
    (error: Error) => /invalid user name or password/.test(error.message) && !error.message.includes('bad-word'),
  );
  await server.close();
  await assert.rejects(attempt('good'), /refused/);
});

test('search: by the first version, else in the catalog, else refused', async () => {
  const first = await start((request, response) => {
    assert.match(request.url ?? '', /^\/v1\/search\?q=term&n=25$/);
    const results = [{ name: 'a/b', description: 'two\nlines', star_count: 7, is_official: true }, { name: 'c' }];
    answer(response, 200, JSON.stringify({ results }), { 'content-type': 'application/json' });
  });
  const catalog = await start((request, response) => {
    if (request.url?.startsWith('/v2/_catalog') === true)
      answer(response, 200, '{"repositories":["a/term","b","term/c"]}');
    else answer(response, 404);
  });
  const neither = await start((_request, response) => answer(response, 404));
  const machine = hostFor(servers);
  const search = (server: Server): Promise<unknown[]> =>
    searchRegistry(
      machine,
      readRegistriesConf(machine),
      { registry: server.host, term: 'term', limit: 25 },
      { retry: 0 },
    );
  assert.deepEqual(await search(first), [
    { name: `${first.host}/a/b`, description: 'two lines', stars: 7, official: true, automated: false },
    { name: `${first.host}/c`, description: '', stars: 0, official: false, automated: false },
  ]);
  const names = (await search(catalog)) as { name: string }[];
  assert.deepEqual(
    names.map(one => one.name),
    [`${catalog.host}/a/term`, `${catalog.host}/term/c`],
  );
  await assert.rejects(search(neither), /neither be searched nor lists/);
});

test('waits grow, are scattered, and follow the server', () => {
  const wait = (failures: number, random: number, after?: number): number =>
    waitBefore({ delay: 1, random: () => random }, failures, { after });
  assert.deepEqual([wait(1, 0), wait(1, 1), wait(3, 1), wait(20, 1)], [0.5, 1, 4, 60]);
  assert.equal(wait(1, 0, 9), 9);
  assert.deepEqual(['2s', '500ms', '1m30s', '3', '1.5s'].map(parseDelay), [2, 0.5, 90, 3, 1.5]);
  for (const bad of ['', 'x', '2x', '-1s', '1s x']) assert.throws(() => parseDelay(bad), /--retry-delay/, bad);
});
