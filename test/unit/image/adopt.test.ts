import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import type { SpawnRequest, SpawnResult } from '../../../src/host/host.ts';
import { adoptImage, missingLayers } from '../../../src/image/adopt.ts';
import { findImage } from '../../../src/image/resolve.ts';
import type { Digest } from '../../../src/image/types.ts';
import { verifyDocuments } from '../../../src/image/verify.ts';
import { handOver } from '../../../src/verbs/account-image.ts';

const STORE = '/var/lib/berth';
const NAME = 'registry.example/web:1';
const hash = (kind: string, bytes: string): string =>
  createHash(kind).update(Buffer.from(bytes, 'latin1')).digest('hex');
const SVC = { name: 'svc', uid: 990, gid: 990, home: '/nonexistent' };

// Bytes, as a host reads them: not all of them are letters.
const CONFIGURATION = '{"author":"J\xc3\xbcrgen","os":"linux"}';
const MANIFEST = '{ "schemaVersion": 2,\r\n"annotations":{"by":"J\xc3\xbcrgen \x00\xff"} }\n';
const ID = hash('sha256', CONFIGURATION);

for (const kind of ['sha256', 'sha512']) {
  test(`an image is handed over with its configuration and its manifest (${kind}), byte for byte`, () => {
    const manifest = `${kind}:${hash(kind, MANIFEST)}` as Digest;
    const record = { version: 1, id: ID, layers: [], config: {}, manifest };
    let sent: string | undefined;
    const run = ({ argv, input }: SpawnRequest): SpawnResult => {
      if (argv.includes('adopt-image')) sent = String(input);
      return { status: 0, stdout: '', stderr: '' };
    };
    const documents = {
      [`${STORE}/blobs/sha256/${ID}`]: CONFIGURATION,
      [`${STORE}/blobs/${kind}/${hash(kind, MANIFEST)}`]: MANIFEST,
    };
    const root = fakeHost({
      files: {
        ...documents,
        [`${STORE}/images/${ID}.json`]: JSON.stringify(record),
        [`${STORE}/names/registry.example%2Fweb:1`]: `${ID}\n`,
      },
      run,
      calls: { readlink: () => '/usr/bin/berth' },
    });
    handOver(root, SVC, NAME);
    assert.ok(sent !== undefined);

    const account = fakeHost();
    assert.deepEqual(missingLayers(account, NAME, ID, []), []);
    adoptImage(account, sent);
    const got = findImage(account, STORE, NAME)?.record;
    assert.ok(got !== undefined);
    assert.deepEqual(verifyDocuments(account, STORE, got), []);
    for (const [path, bytes] of Object.entries(documents)) assert.equal(account.readFile(path), bytes);
    assert.equal(missingLayers(account, NAME, ID, []), undefined);
    // What an earlier hand-over left out comes with the next; what the account has from elsewhere is its own matter.
    account.unlink(`${STORE}/blobs/${kind}/${hash(kind, MANIFEST)}`);
    assert.deepEqual(missingLayers(account, NAME, ID, []), []);
    account.unlink(`${STORE}/handed/registry.example%2Fweb:1`);
    assert.equal(missingLayers(account, NAME, ID, []), undefined);
  });
}

test('a document is written where its digest says, and nowhere else', () => {
  const record = { version: 1, id: ID, layers: [], config: {} };
  const account = fakeHost();
  const text = JSON.stringify({ record, documents: [['sha256:../../names/x', '{}']], name: NAME });
  assert.throws(() => adoptImage(account, text), /is no digest/);
  assert.equal(findImage(account, STORE, NAME), undefined);
});
