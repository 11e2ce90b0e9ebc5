import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHelpers } from '../../../src/network/helper-version.ts';
import type { NetworkState } from '../../../src/network/ipam.ts';
import { setting } from './setting.ts';

const STATE: NetworkState = { version: 2, subnet: '10.88.0.0/16', attachments: {} };
const NETAVARK = '/usr/lib/podman/netavark';

function withVersions(netavark: string, aardvark = 'aardvark-dns 1.14.0\n') {
  const asked: string[] = [];
  const files = { [NETAVARK]: 'one', '/usr/lib/podman/aardvark-dns': 'two' };
  const { host } = setting({
    uid: 0,
    files,
    version: ({ argv }) => {
      asked.push(argv[0] ?? '');
      return { stdout: argv[0] === NETAVARK ? netavark : aardvark };
    },
  });
  return { host, asked };
}

void test('versions are asked once, and again when a file has changed', () => {
  const { host, asked } = withVersions('netavark 1.14.0\n');
  const state = checkHelpers(host, STATE)._unsafeUnwrap();
  assert.equal(asked.length, 2);
  assert.equal(checkHelpers(host, state)._unsafeUnwrap(), state);
  assert.equal(asked.length, 2);
  host.writeFile(NETAVARK, 'another', 0o755);
  assert.notEqual(checkHelpers(host, state)._unsafeUnwrap().helpers, state.helpers);
  assert.equal(asked.length, 4);
});

const line = (said: string): string => `${NETAVARK} has version '${said}': Berth needs 1.10 or a later 1.x`;

void test('one that is too old is refused with what it has and what is needed', () => {
  for (const said of ['netavark 1.4.0', 'netavark 1.9', 'netavark 0.20.1']) {
    const result = checkHelpers(withVersions(`${said}\n`).host, STATE);
    assert.equal(result.isErr() && result.error.message, line(said));
  }
  assert.ok(checkHelpers(withVersions('netavark 1.14.0\n', 'aardvark-dns 1.4.0\n').host, STATE).isErr());
  for (const version of ['1.10.0', '1.10', '1.14.1-rc1', '1.20.0'])
    assert.ok(checkHelpers(withVersions(`netavark ${version}\n`).host, STATE).isOk(), version);
});

void test('a version that is not known is said once', () => {
  for (const said of ['netavark 2.0.0', 'netavark of this morning']) {
    const { host } = withVersions(`${said}\n`);
    let told = '';
    host.write = (_fd, text) => {
      told += text;
      return text.length;
    };
    const state = checkHelpers(host, STATE)._unsafeUnwrap();
    checkHelpers(host, state)._unsafeUnwrap();
    assert.equal(told, `berth: warning: ${line(said)}\n`);
  }
});
