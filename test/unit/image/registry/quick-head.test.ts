import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../../src/host/fake.ts';
import type { SpawnRequest } from '../../../../src/host/host.ts';
import { parseReference, type Reference } from '../../../../src/image/reference.ts';
import type { AccessOptions } from '../../../../src/image/registry/access-options.ts';
import { parseHead, quickDigest } from '../../../../src/image/registry/quick-head.ts';
import { readRegistriesConf } from '../../../../src/image/registry/registries-conf.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;
const OK = `HTTP/1.1 200 OK\r\nDocker-Content-Digest: ${DIGEST}\r\n\r\n`;
const BASIC = 'HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm="x"\r\n\r\n';
const AUTH = { '/home/a/auth.json': '{"auths":{"r.example":{"auth":"bWU6c2UgY3JldA=="}}}' };
const SYSTEM = { '/etc/ssl/certs/ca-certificates.crt': 'x' };

interface Asked {
  readonly host: FakeHost;
  readonly requests: SpawnRequest[];
  readonly digest: string | undefined;
}

/** Asks for a tag; `answers`: what the program prints in turn, empty text for its failure. */
function asked(
  answers: readonly string[],
  more: {
    readonly files?: Record<string, string>;
    readonly environment?: Record<string, string>;
    readonly options?: AccessOptions;
    readonly name?: string;
  } = {},
): Asked {
  const requests: SpawnRequest[] = [];
  const files: Record<string, string> = { ...SYSTEM, ...more.files };
  const host = fakeHost({
    files,
    uid: 1000,
    environment: { HOME: '/home/a', REGISTRY_AUTH_FILE: '/home/a/auth.json', ...more.environment },
    calls: { access: path => path in files },
    run(request) {
      const stdout = answers[requests.length] ?? '';
      requests.push(request);
      return { status: stdout === '' ? 1 : 0, stdout, stderr: '' };
    },
  });
  const reference = parseReference(more.name ?? 'r.example/team/app:1') as Reference;
  return { host, requests, digest: quickDigest(host, readRegistriesConf(host), reference, more.options ?? {}) };
}

test('one question tells the digest of a tag', () => {
  const { requests, digest } = asked([`s${OK}`]);
  assert.equal(digest, DIGEST);
  assert.deepEqual(requests[0]?.argv.slice(1), ['tls', 'r.example', '443', 'ca=/etc/ssl/certs/ca-certificates.crt']);
  const input = String(requests[0]?.input);
  assert.match(input, /^HEAD \/v2\/team\/app\/manifests\/1 HTTP\/1\.1\r\nhost: r\.example\r\n/);
  assert.doesNotMatch(input, /authorization/i);
  assert.equal(requests[0]?.environment, undefined);
});

test('T21 a password goes to the registry that asks for Basic, through standard input', () => {
  const { requests, digest } = asked([`s${BASIC}`, `s${OK}`], { files: AUTH });
  assert.equal(digest, DIGEST);
  assert.equal(requests.length, 2);
  assert.doesNotMatch(String(requests[0]?.input), /authorization/i);
  assert.match(String(requests[1]?.input), /\r\nauthorization: Basic bWU6c2UgY3JldA==\r\n\r\n$/);
  for (const request of requests) assert.doesNotMatch(request.argv.join(' '), /bWU6|cret/);
});

test('T21 no password goes over a line without TLS, to another scheme or another host', () => {
  const insecure = {
    ...AUTH,
    '/etc/containers/registries.conf': '[[registry]]\nlocation="r.example"\ninsecure=true\n',
  };
  assert.equal(asked([`p${OK}`], { files: insecure }).digest, DIGEST);
  const plain = asked([`p${BASIC}`, `p${OK}`], { files: insecure });
  assert.equal(plain.digest, undefined);
  assert.equal(plain.requests.length, 1);
  assert.deepEqual(plain.requests[0]?.argv.slice(1), ['either', 'r.example', '443']);
  const bearer = 'HTTP/1.1 401 U\r\nwww-authenticate: Bearer realm="https://evil.example/"\r\n';
  for (const head of [
    `${bearer}\r\n`,
    `${bearer}www-authenticate: Basic realm="x"\r\n\r\n`,
    'HTTP/1.1 401 U\r\n\r\n',
  ]) {
    const { requests, digest } = asked([`s${head}`, `s${OK}`], { files: AUTH });
    assert.equal(digest, undefined, head);
    assert.equal(requests.length, 1, head);
  }
  const redirect = 'HTTP/1.1 307 T\r\nlocation: https://evil.example/\r\n\r\n';
  assert.equal(asked([`s${redirect}`, `s${OK}`], { files: AUTH }).requests.length, 1);
});

test('anything unusual is left to the whole client', () => {
  const heads = [
    '',
    'sHTTP/1.1 200 OK\r\n\r\n',
    `sHTTP/1.1 404 Not Found\r\nDocker-Content-Digest: ${DIGEST}\r\n\r\n`,
    `sHTTP/1.1 500 Oops\r\nDocker-Content-Digest: ${DIGEST}\r\n\r\n`,
    `sHTTP/1.1 200 OK\r\nDocker-Content-Digest: ${DIGEST}\r\nDocker-Content-Digest: ${DIGEST}\r\n\r\n`,
    `sHTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:../../x\r\n\r\n`,
  ];
  for (const head of heads) assert.equal(asked([head]).digest, undefined, head);
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']) {
    const { requests, digest } = asked([`s${OK}`], { environment: { [name]: 'http://p:1' } });
    assert.equal(digest, undefined, name);
    assert.equal(requests.length, 0, name);
  }
  assert.equal(asked([`s${BASIC}`], { files: { '/home/a/auth.json': '{}' } }).requests.length, 1);
});

test('certificates of certs.d, ports, and the host of Docker', () => {
  const files = {
    '/etc/containers/certs.d/r.example:5000/ca.crt': 'c',
    '/etc/containers/certs.d/r.example:5000/me.cert': 'c',
    '/etc/containers/certs.d/r.example:5000/me.key': 'k',
  };
  const own = asked([`s${OK}`], { files, name: 'r.example:5000/a/b:2' });
  assert.deepEqual(own.requests[0]?.argv.slice(1), [
    'tls',
    'r.example',
    '5000',
    'ca=/etc/containers/certs.d/r.example:5000/ca.crt',
    'ca=/etc/ssl/certs/ca-certificates.crt',
    'cert=/etc/containers/certs.d/r.example:5000/me.cert',
    'key=/etc/containers/certs.d/r.example:5000/me.key',
  ]);
  const docker = asked([`s${OK}`], { name: `docker.io/library/x@${DIGEST}` });
  assert.equal(docker.requests[0]?.argv[2], 'registry-1.docker.io');
  assert.match(String(docker.requests[0]?.input), new RegExp(`/v2/library/x/manifests/${DIGEST} HTTP`));
  assert.equal(asked([`s${OK}`], { options: { tlsVerify: false } }).requests[0]?.argv[1], 'either');
});

test('heads of answers', () => {
  assert.deepEqual(parseHead('HTTP/1.0 204 \r\nA: 1\r\na:2 \r\n\r\n'), {
    status: 204,
    headers: new Map([['a', ['1', '2']]]),
  });
  for (const text of [
    '',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/2 200\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 2000\r\n\r\n',
    'HTTP/1.1 200 OK\r\na: 1\r\n folded\r\n\r\n',
    'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
    'HTTP/1.1 200 OK\r\n: no name\r\n\r\n',
    'HTTP/1.1 200 OK\r\na : 1\r\n\r\n',
  ])
    assert.equal(parseHead(text), undefined, JSON.stringify(text));
});
