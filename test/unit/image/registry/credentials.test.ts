import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../../src/host/fake.ts';
import { findCredentials } from '../../../../src/image/registry/credentials.ts';
import { readRegistriesConf } from '../../../../src/image/registry/registries-conf.ts';
import { configDirectory } from '../../../../src/image/registry/registries-files.ts';

const CONF = '/etc/containers/registries.conf';

function host(files: Record<string, string>, environment: Record<string, string> = {}): FakeHost {
  return fakeHost({
    files,
    environment: { HOME: '/home/a', ...environment },
    uid: 1000,
    calls: { access: path => path in files },
  });
}

test('credential helpers: by registry, as store of the file, from registries.conf; never by a shell, never shown', () => {
  const asked: string[] = [];
  const withHelper = (files: Record<string, string>, answer: { status: number; stdout: string }): FakeHost =>
    fakeHost({
      files,
      environment: { HOME: '/home/a', PATH: 'relative:/opt/bin' },
      uid: 1000,
      run: request => {
        asked.push(`${request.argv.join(' ')} <${String(request.input)}`);
        return { ...answer, stderr: '' };
      },
      calls: { access: path => path in files },
    });
  const found = { status: 0, stdout: '{"ServerURL":"x","Username":"u","Secret":"s"}' };
  const auth = '/home/a/.config/containers/auth.json';
  const find = (machine: FakeHost, registry = 'r.io'): unknown =>
    findCredentials(machine, readRegistriesConf(machine), { registry, path: 'a' });
  const password = { kind: 'password', user: 'u', password: 's' };
  assert.deepEqual(find(withHelper({ [auth]: '{"credHelpers":{"r.io":"vault"}}' }, found)), password);
  assert.deepEqual(
    find(withHelper({ [auth]: '{"credsStore":"store"}', '/opt/bin/docker-credential-store': '' }, found), 'docker.io'),
    password,
  );
  assert.deepEqual(find(withHelper({ [CONF]: 'credential-helpers=["secretservice"]\n' }, found)), password);
  assert.deepEqual(asked, [
    'docker-credential-vault get <r.io',
    '/opt/bin/docker-credential-store get <https://index.docker.io/v1/',
    'docker-credential-secretservice get <r.io',
  ]);
  const token = { status: 0, stdout: '{"Username":"<token>","Secret":"t"}' };
  assert.deepEqual(find(withHelper({ [auth]: '{"credsStore":"x"}' }, token)), {
    kind: 'identity',
    user: '',
    token: 't',
  });
  const none = { status: 1, stdout: 'credentials not found in native keychain\n' };
  assert.equal(find(withHelper({ [auth]: '{"credsStore":"x"}' }, none)), undefined);
  const broken = { status: 2, stdout: 'my secret' };
  assert.throws(
    () => find(withHelper({ [auth]: '{"credsStore":"x"}' }, broken)),
    /^RegistryError: docker-credential-x get: ended with 2 for r\.io$/,
  );
  assert.throws(
    () => find(withHelper({ [auth]: '{"credsStore":"../x y"}' }, found)),
    /not the name of a credential helper/,
  );
});

test('credential files: which, in which order, and what is wrong with them', () => {
  const entry = (text: string, key = 'r.io'): string => JSON.stringify({ auths: { [key]: { auth: btoa(text) } } });
  const find = (
    files: Record<string, string>,
    environment: Record<string, string> = {},
    registry = 'r.io',
  ): unknown => {
    const machine = host(files, environment);
    return (
      findCredentials(machine, readRegistriesConf(machine), { registry, path: 'a/b' }) as { user?: string } | undefined
    )?.user;
  };
  const files = {
    '/run/user/1000/containers/auth.json': entry('run:x'),
    '/home/a/.docker/config.json': entry('docker:x'),
  };
  assert.equal(find(files, { XDG_RUNTIME_DIR: '/run/user/1000' }), 'run');
  assert.equal(find(files), 'docker');
  assert.equal(find({ '/run/containers/1000/auth.json': entry('service:x') }), 'service');
  assert.equal(find({ ...files, '/named': entry('named:x') }, { REGISTRY_AUTH_FILE: '/named' }), 'named');
  assert.equal(
    find({ '/home/a/.docker/config.json': entry('hub:x', 'https://index.docker.io/v1/') }, {}, 'docker.io'),
    'hub',
  );
  assert.equal(find({ '/home/a/.docker/config.json': '' }), undefined);
  assert.throws(() => find({}, { REGISTRY_AUTH_FILE: '/nothing' }), /\/nothing: no such file of credentials/);
  assert.throws(
    () => find({ '/home/a/.docker/config.json': '{"auths": {"r.io": "secret' }),
    /^RegistryError: [^ ]*config\.json: not a JSON object; log in again, or correct it$/,
  );
  assert.throws(
    () => find({ '/home/a/.docker/config.json': '{"auths":{"r.io":{"auth":"AAAA"}}}' }),
    /not base64 of USER:PASSWORD/,
  );
});

test("root's own files without HOME, as in its units: those of its home in the user database, unless a sandbox hides that", () => {
  const entry = JSON.stringify({ auths: { 'r.io': { auth: btoa('me:x') } } });
  const files = {
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
    '/root/.config/containers/registries.conf': 'unqualified-search-registries=["own.io"]\n',
    '/root/.docker/config.json': entry,
    '/var/cache/containers/short-name-aliases.conf': '[aliases]\n"x"="y.io/z"\n',
  };
  const seen = (hidden: boolean): unknown[] => {
    const machine = fakeHost({ files, calls: { access: path => !hidden && (path === '/root' || path in files) } });
    const conf = readRegistriesConf(machine);
    assert.equal(conf.aliases.get('x'), 'y.io/z');
    return [conf.search, findCredentials(machine, conf, { registry: 'r.io', path: 'a' }), configDirectory(machine)];
  };
  assert.deepEqual(seen(false), [
    ['own.io'],
    { kind: 'password', user: 'me', password: 'x' },
    '/root/.config/containers',
  ]);
  assert.deepEqual(seen(true), [[], undefined, undefined]);
});
