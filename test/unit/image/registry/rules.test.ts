import assert from 'node:assert/strict';
import { test } from 'node:test';
import { URL } from 'node:url';
import { parseChallenges } from '../../../../src/image/registry/challenge.ts';
import { credentialsFor, realmRefusal, redirectRefusal } from '../../../../src/image/registry/rules.ts';

const url = (text: string): URL => new URL(text);

test('T21 credentials are for one origin', () => {
  const same = [
    ['https://a', 'https://a:443'],
    ['https://a:5000/x', 'https://a:5000/y'],
    ['http://a', 'http://A/'],
  ] as const;
  for (const [from, to] of same) assert.ok(credentialsFor(url(from), url(to)), `${from} ${to}`);
  const other = [
    ['https://a', 'http://a'],
    ['https://a', 'https://a:444'],
    ['https://a', 'https://b'],
    ['https://a', 'https://x.a'],
    ['https://a.example', 'https://a.example.evil'],
    ['data:,', 'data:,'],
  ] as const;
  for (const [from, to] of other) assert.ok(!credentialsFor(url(from), url(to)), `${from} ${to}`);
});

test('T21 a token service must be https, or the registry itself', () => {
  assert.equal(realmRefusal(url('https://r'), url('https://auth.example/token')), undefined);
  assert.equal(realmRefusal(url('http://r:5000'), url('http://r:5001/token')), undefined);
  assert.match(realmRefusal(url('https://r'), url('http://r/token')) ?? '', /not https/);
  assert.match(realmRefusal(url('http://r'), url('http://evil/token')) ?? '', /not https/);
  assert.match(realmRefusal(url('https://r'), url('file:///etc/passwd')) ?? '', /neither/);
  assert.match(realmRefusal(url('https://r'), url('https://u:p@auth/')) ?? '', /password/);
});

test('redirects lead to https or stay on http', () => {
  assert.equal(redirectRefusal(url('https://a'), url('https://b')), undefined);
  assert.equal(redirectRefusal(url('http://a'), url('http://b')), undefined);
  assert.match(redirectRefusal(url('https://a'), url('http://a')) ?? '', /from https to http/);
  assert.match(redirectRefusal(url('https://a'), url('gopher://a')) ?? '', /neither/);
});

test('challenges, one and several', () => {
  const [bearer, basic] = parseChallenges(
    'Bearer realm="https://a/t",service="r,1",scope="x:y:pull,push", Basic realm=r',
  );
  assert.equal(bearer?.scheme, 'bearer');
  assert.deepEqual(
    [...(bearer?.parameters ?? [])],
    [
      ['realm', 'https://a/t'],
      ['service', 'r,1'],
      ['scope', 'x:y:pull,push'],
    ],
  );
  assert.deepEqual([basic?.scheme, basic?.parameters.get('realm')], ['basic', 'r']);
  assert.deepEqual(
    parseChallenges('Negotiate, Basic realm="a\\"b"').map(one => one.scheme),
    ['negotiate', 'basic'],
  );
  assert.deepEqual(parseChallenges('\u0001\u0002'), []);
});
