import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { HostError } from '../../../../src/host/host.ts';
import { nodeHost } from '../../../../src/host/node.ts';
import { ImageError } from '../../../../src/image/error.ts';
import type { PullPolicy } from '../../../../src/image/pull/policy.ts';
import { makeProgress } from '../../../../src/image/pull/progress.ts';
import { pullImage } from '../../../../src/image/pull/pull.ts';
import { hostPlatform } from '../../../../src/image/registry/platform.ts';

const NAME = 'r.example/team/app:1';
const ID = '1'.repeat(64);
const LAYER = `sha256:${'a'.repeat(64)}`;

/** A store with one image of one layer. */
function makeStore(): string {
  const store = mkdtempSync(`${tmpdir()}/berth-spare-`);
  const layer = `${store}/layers/${LAYER.replace(':', '-')}`;
  for (const path of ['images', 'names', 'pulled', 'tmp', 'locks', 'blobs/sha256'])
    mkdirSync(`${store}/${path}`, { recursive: true });
  mkdirSync(`${layer}/fs`, { recursive: true });
  const record = {
    version: 1,
    id: ID,
    architecture: hostPlatform().architecture,
    os: 'linux',
    created: '',
    layers: [LAYER],
    size: 1,
    config: {},
  };
  writeFileSync(`${store}/images/${ID}.json`, JSON.stringify(record));
  writeFileSync(`${layer}/layer.json`, JSON.stringify({ version: 1, size: 1, diff: LAYER }));
  writeFileSync(`${store}/names/${NAME.replaceAll('/', '%2F')}`, `${ID}\n`);
  writeFileSync(`${store}/version`, '{"version":1}\n');
  return store;
}

/** What a pull comes to when the repositories cannot be opened for this reason. */
async function tried(policy: PullPolicy, reason: Error): Promise<{ end: string; hurried: boolean[]; said: string[] }> {
  const store = makeStore();
  const hurried: boolean[] = [];
  const said: string[] = [];
  const host = nodeHost();
  try {
    const pulled = await pullImage(host, store, {
      name: NAME,
      policy,
      platform: hostPlatform(),
      strict: false,
      registries: short => {
        hurried.push(short);
        throw reason;
      },
      progress: makeProgress(host, 'none'),
      signal: new AbortController().signal,
      say: line => said.push(line),
    });
    return { end: pulled.id, hurried, said };
  } catch (error) {
    return { end: (error as Error).message, hurried, said };
  } finally {
    rmSync(store, { recursive: true });
  }
}

void test('newer: neither a registry nor this host keeps a start from the image that is there, and it is asked in a hurry', async () => {
  for (const reason of [
    new ImageError('r.example: silent'),
    new HostError('write', 'ENOSPC', 28, 'no space left', '/x'),
  ]) {
    const { end, hurried, said } = await tried('newer', reason);
    assert.deepEqual([end, hurried], [ID, [true]]);
    assert.deepEqual(said, [`warning: ${reason.message}; the image that is there is used`]);
  }
  assert.equal((await tried('newer', new TypeError('a mistake'))).end, 'a mistake');
});

void test('always: the registry is what was asked for, with all patience', async () => {
  assert.deepEqual(await tried('always', new ImageError('silent')), { end: 'silent', hurried: [false], said: [] });
});
