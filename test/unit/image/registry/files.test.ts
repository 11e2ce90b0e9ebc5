import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../../src/host/fake.ts';
import { endpointsOf } from '../../../../src/image/registry/endpoints.ts';
import { isExcepted, parseProxy, proxyFor } from '../../../../src/image/registry/proxy.ts';
import { readRegistriesConf } from '../../../../src/image/registry/registries-conf.ts';
import { fullReferences } from '../../../../src/image/registry/short-names.ts';
import { checkArchiveTrust, checkTrust, type ArchiveTransport } from '../../../../src/image/registry/trust-policy.ts';
import { formatReference, parseReference, type Reference } from '../../../../src/image/reference.ts';

const CONF = '/etc/containers/registries.conf';

function host(files: Record<string, string>, environment: Record<string, string> = {}): FakeHost {
  return fakeHost({
    files,
    environment: { HOME: '/home/a', ...environment },
    uid: 1000,
    calls: { access: path => path in files },
  });
}

function reference(text: string): Reference {
  const parsed = parseReference(text);
  assert.ok(parsed !== undefined, text);
  return parsed;
}

/** `HOST/PATH`, with `!` for insecure and `~` for a mirror. */
function places(conf: string, name: string): string[] {
  return endpointsOf(readRegistriesConf(host({ [CONF]: conf })), reference(name)).map(
    one => `${one.mirror ? '~' : ''}${one.insecure ? '!' : ''}${one.host}/${one.path}`,
  );
}

test('registries: the longest prefix, rewriting, wildcards, mirrors, blocked ones', () => {
  assert.deepEqual(places('', 'quay.io/a/b:1'), ['quay.io/a/b']);
  const rewriting =
    '[[registry]]\nprefix="example.com/foo"\nlocation="inner.example.com:5000/bar"\ninsecure=true\n[[registry]]\nlocation="example.com"\nblocked=true\n';
  assert.deepEqual(places(rewriting, 'example.com/foo/x:1'), ['!inner.example.com:5000/bar/x']);
  assert.throws(
    () => places(rewriting, 'example.com/food:1'),
    /example\.com\/food: \/etc\/containers\/registries\.conf blocks the registry example\.com/,
  );
  const wild = '[[registry]]\nprefix="*.example.com"\nlocation="cache.net/all"\n';
  assert.deepEqual(places(wild, 'a.b.example.com/x/y:1'), ['cache.net/all/x/y']);
  assert.deepEqual(places(wild, 'example.com/x:1'), ['example.com/x']);
  // With a port the host does not end with the suffix; the port is no part of what is replaced.
  const ports = '[[registry]]\nprefix="*.example.com"\nlocation="cache.net"\n';
  assert.deepEqual(places(ports, 'a.example.com:5000/x/y:1'), ['cache.net:5000/x/y']);
  assert.deepEqual(places(ports, 'a.example.community:5000/x:1'), ['a.example.community:5000/x']);
  assert.throws(
    () => places('[[registry]]\nprefix="*.example.com"\nlocation=""\nblocked=true\n', 'a.example.com:5000/x:1'),
    /blocks the registry \*\.example\.com/,
  );
  const digest = `sha256:${'a'.repeat(64)}`;
  const mirrored =
    '[[registry]]\nlocation="docker.io"\n[[registry.mirror]]\nlocation="m1.local/hub"\npull-from-mirror="digest-only"\n' +
    '[[registry.mirror]]\nlocation="m2.local"\ninsecure=true\npull-from-mirror="tag-only"\n[[registry.mirror]]\nlocation="m3.local"\n';
  assert.deepEqual(places(mirrored, 'docker.io/library/x:1'), [
    '~!m2.local/library/x',
    '~m3.local/library/x',
    'docker.io/library/x',
  ]);
  assert.deepEqual(places(mirrored, `docker.io/library/x@${digest}`), [
    '~m1.local/hub/library/x',
    '~m3.local/library/x',
    'docker.io/library/x',
  ]);
  const byDigest = '[[registry]]\nlocation="r.io"\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation="m.io"\n';
  assert.deepEqual(places(byDigest, 'r.io/x:1'), ['r.io/x']);
});

test('registries: drop-ins and the own file replace by prefix and key', () => {
  const files = {
    [CONF]: 'unqualified-search-registries=["a.io"]\n[[registry]]\nlocation="r.io"\nblocked=true\n',
    '/etc/containers/registries.conf.d/10.conf': 'unqualified-search-registries=["b.io"]\n',
    '/home/a/.config/containers/registries.conf.d/20.conf': '[[registry]]\nlocation="r.io"\n[aliases]\n"x"="y.io/z"\n',
    '/etc/containers/registries.conf.d/README': 'not toml',
  };
  const conf = readRegistriesConf(host(files));
  assert.deepEqual(conf.search, ['b.io']);
  assert.equal(conf.registries[0]?.blocked, false);
  assert.equal(conf.aliases.get('x'), 'y.io/z');
  const own = readRegistriesConf(
    host({ ...files, '/home/a/.config/containers/registries.conf': 'short-name-mode="enforcing"\n' }),
  );
  assert.equal(own.file, '/home/a/.config/containers/registries.conf');
  assert.equal(own.mode, 'enforcing');
});

test('registries: what is wrong is one line with file and key', () => {
  const cases: [string, RegExp][] = [
    [
      '[registries.search]\nregistries=[]\n',
      /^RegistryError: \/etc\/containers\/registries\.conf: \[registries\]: version 1 of the format/,
    ],
    ['[[registry]]\nprefix=1\n', /\[registry\] prefix is not a text/],
    ['[[registry]]\nblocked=true\n', /\[registry\] location is missing/],
    ['[[registry]]\nlocation="https://x"\n', /without http/],
    ['[[registry]]\nprefix="a*.x"\nlocation="y"\n', /\* stands for subdomains/],
    ['[[registry]]\nprefix="*.x.io/a"\nlocation="y"\n', /\* stands for subdomains, without a path/],
    ['[[registry]]\nlocation="x"\ninsecure="yes"\n', /neither true nor false/],
    ['short-name-mode="loose"\n', /one of enforcing, permissive, disabled/],
    ['a = \n', /registries\.conf:1:\d+: is not TOML/],
  ];
  for (const [text, words] of cases) assert.throws(() => readRegistriesConf(host({ [CONF]: text })), words, text);
});

function meant(conf: string, name: string): string[] {
  return fullReferences(readRegistriesConf(host({ [CONF]: conf })), name).map(formatReference);
}

test('short names: aliases, search registries, and what to write when nothing says', () => {
  assert.deepEqual(meant('', 'docker.io/busybox'), ['docker.io/library/busybox:latest']);
  assert.deepEqual(meant('[aliases]\nbusybox="docker.io/library/busybox"\n', 'busybox:1.36'), [
    'docker.io/library/busybox:1.36',
  ]);
  assert.deepEqual(meant('unqualified-search-registries=["docker.io","q.io:5000"]\n', 'x'), [
    'docker.io/library/x:latest',
    'q.io:5000/x:latest',
  ]);
  assert.throws(
    () => meant('unqualified-search-registries=["a.io","b.io"]\nshort-name-mode="enforcing"\n', 'x'),
    /may mean a\.io\/x:latest, b\.io\/x:latest; write one in full/,
  );
  assert.throws(
    () => meant('', 'busybox'),
    /busybox: a short name.*write it in full, as in docker\.io\/library\/busybox:latest/,
  );
  assert.throws(() => meant('', 'A/B'), /not a name of an image/);
  assert.throws(() => meant('unqualified-search-registries=["a/b"]\n', 'x'), /a\/b is not the name of a registry/);
});

test('policy.json: accepted, rejected, and signatures are refused by name', () => {
  const policy = (text: unknown, name = 'r.io/team/app:1'): void =>
    checkTrust(
      host({ '/etc/containers/policy.json': typeof text === 'string' ? text : JSON.stringify(text) }),
      reference(name),
    );
  const accept = [{ type: 'insecureAcceptAnything' }];
  const reject = [{ type: 'reject' }];
  policy({ default: accept });
  checkTrust(host({}), reference('r.io/x:1'));
  assert.throws(
    () => policy({ default: reject }),
    /r\.io\/team\/app:1: \/etc\/containers\/policy\.json rejects it \(default\)/,
  );
  policy({ default: reject, transports: { docker: { 'r.io/team': accept } } });
  policy({ default: reject, transports: { docker: { 'r.io': reject, 'r.io/team/app:1': accept } } });
  policy({ default: reject, transports: { docker: { '*.example.com': accept } } }, 'a.b.example.com/x:1');
  assert.throws(
    () => policy({ default: accept, transports: { docker: { '': reject } } }),
    /rejects it \(transports\.docker\)/,
  );
  assert.throws(
    () => policy({ default: [{ type: 'signedBy' }] }),
    /asks for a signature \(default: signedBy\), which this version cannot check/,
  );
  assert.throws(() => policy({ default: [...accept, { type: 'sigstoreSigned' }] }), /sigstoreSigned/);
  assert.throws(() => policy({ default: [{ type: 'other' }] }), /"other" is not a type of requirement/);
  assert.throws(() => policy({ default: [] }), /empty list/);
  assert.throws(() => policy('{'), /not JSON/);
  assert.throws(() => policy({}), /default is not a list/);
});

test('policy.json holds for what is loaded, by the transport that it is', () => {
  const load = (text: unknown, transport: ArchiveTransport, path?: string): void =>
    checkArchiveTrust(host({ '/etc/containers/policy.json': JSON.stringify(text) }), transport, path);
  const accept = [{ type: 'insecureAcceptAnything' }];
  const reject = [{ type: 'reject' }];
  load({ default: accept, transports: { docker: { '': reject } } }, 'oci-archive', '/x.tar');
  checkArchiveTrust(host({}), 'docker-archive', '/x.tar');
  assert.throws(
    () => load({ default: reject }, 'docker-archive', '/srv/x.tar'),
    /docker-archive:\/srv\/x\.tar: \/etc\/containers\/policy\.json rejects it \(default\)/,
  );
  assert.throws(
    () => load({ default: reject }, 'oci-archive'),
    /oci-archive:standard input: .* rejects it \(default\)/,
  );
  load({ default: reject, transports: { 'docker-archive': { '': accept } } }, 'docker-archive');
  // The deepest directory counts; a docker-archive has no such scopes.
  const below = { '/srv/images': accept, '/srv/images/bad': reject };
  const transports = { oci: below, dir: below, 'docker-archive': below };
  load({ default: reject, transports }, 'oci', '/srv/images/a/b');
  assert.throws(() => load({ default: accept, transports }, 'dir', '/srv/images/bad/b'), /\(\/srv\/images\/bad\)/);
  assert.throws(() => load({ default: reject, transports }, 'oci', '/srv/imagesque'), /\(default\)/);
  assert.throws(() => load({ default: reject, transports }, 'docker-archive', '/srv/images/a'), /\(default\)/);
  // What `import` reads.
  const imported = { tarball: { ...below, '': accept } };
  load({ default: reject, transports: imported }, 'tarball', '/srv/images/bad/x.tar');
  assert.throws(
    () => load({ default: reject, transports }, 'tarball', '/srv/images/x.tar'),
    /tarball:\/srv.*\(default\)/,
  );
});

test('proxies: for which addresses, and passwords stay out of messages', () => {
  const environment = (values: Record<string, string>) => (name: string) => values[name];
  const through = (target: string, values: Record<string, string>): string | undefined =>
    proxyFor(new URL(target), environment(values))?.url.host;
  assert.equal(through('https://r.io/', { HTTPS_PROXY: 'http://p:3128' }), 'p:3128');
  assert.equal(through('https://r.io/', { https_proxy: 'p:3128' }), 'p:3128');
  assert.equal(through('https://r.io/', { HTTP_PROXY: 'http://p' }), undefined);
  assert.equal(through('https://localhost:5000/', { HTTPS_PROXY: 'http://p' }), undefined);
  const { url, authorization } = parseProxy('http://u:p%40ss@proxy:1', 'HTTPS_PROXY');
  assert.deepEqual([url.href, authorization], ['http://proxy:1/', `Basic ${btoa('u:p@ss')}`]);
  assert.throws(
    () => parseProxy('http://u:secret@', 'HTTPS_PROXY'),
    (error: Error) => !error.message.includes('secret'),
  );
  assert.throws(() => parseProxy('socks5://x:1', 'HTTPS_PROXY'), /kind socks5 are not supported/);
  const excepted = (target: string, list: string): boolean => isExcepted(new URL(target), list);
  assert.ok(excepted('https://a.example.com', 'x, example.com'));
  assert.ok(excepted('https://example.com', 'example.com'));
  assert.ok(!excepted('https://example.com', '.example.com'));
  assert.ok(excepted('https://a.example.com', '.example.com'));
  assert.ok(!excepted('https://badexample.com', 'example.com'));
  assert.ok(excepted('https://10.1.2.3', '10.0.0.0/8'));
  assert.ok(!excepted('https://11.1.2.3', '10.0.0.0/8'));
  assert.ok(excepted('https://r.io:5000', 'r.io:5000'));
  assert.ok(!excepted('https://r.io', 'r.io:5000'));
  assert.ok(excepted('https://[fd00::1]', 'fd00::/8'));
  assert.ok(excepted('https://r.io', '*'));
});
