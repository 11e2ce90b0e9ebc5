import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../../src/host/fake.ts';
import { pullUnchanged } from '../../../../src/image/pull/unchanged.ts';

const STORE = '/store';
const NAME = 'r.example/team/app:1';
const FILE = NAME.replaceAll('/', '%2F');
const ID = '1'.repeat(64);
const DIGEST = `sha256:${'a1'.repeat(32)}`;

/** The id that a pull without Node finds unchanged, with this note of the last one; the registry has the same index still. */
function unchanged(note: object): string | undefined {
  const record = {
    version: 1,
    id: ID,
    architecture: 'amd64',
    os: 'linux',
    created: '',
    layers: [],
    size: 0,
    config: {},
  };
  const files: Record<string, string> = {
    '/etc/ssl/certs/ca-certificates.crt': 'x',
    [`${STORE}/images/${ID}.json`]: JSON.stringify(record),
    [`${STORE}/blobs/sha256/${ID}`]: '{}',
    [`${STORE}/names/${FILE}`]: `${ID}\n`,
    [`${STORE}/pulled/${FILE}`]: JSON.stringify({ version: 1, image: ID, digest: DIGEST, time: 1, ...note }),
  };
  const stdout = `sHTTP/1.1 200 OK\r\nDocker-Content-Digest: ${DIGEST}\r\n\r\n`;
  const host = fakeHost({
    files,
    calls: { access: path => path in files },
    run: () => ({ status: 0, stdout, stderr: '' }),
  });
  return pullUnchanged(host, STORE, NAME, 'always', {})?.id;
}

test('the image is unchanged only if it was pulled for this machine: the index of all platforms has one digest', () => {
  assert.equal(unchanged({ platform: '' }), ID);
  assert.equal(unchanged({ platform: 'linux/arm64' }), undefined);
  assert.equal(unchanged({}), undefined);
});
