import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, test, type TestContext } from 'node:test';
import { nodeHost } from '../../../../src/host/node.ts';
import { makeProgress } from '../../../../src/image/pull/progress.ts';
import { pullImage } from '../../../../src/image/pull/pull.ts';
import { hostPlatform } from '../../../../src/image/registry/platform.ts';
import type { Platform, Registry } from '../../../../src/image/registry/types.ts';
import type { Digest } from '../../../../src/image/types.ts';

const NAME = 'r.example/team/app:1';
const NOTE = `pulled/${NAME.replaceAll('/', '%2F')}`;
const OWN = hostPlatform();
const OTHER: Platform = { os: 'linux', architecture: OWN.architecture === 's390x' ? 'amd64' : 's390x' };

const programs = mkdtempSync(`${tmpdir()}/berth-platform-`);
/** As root, whose layers need no ids of an account. */
const host = { ...nodeHost(), euid: 0 };

/** What `berth layer lock` does where nobody else has the lock. */
before(() => {
  writeFileSync(`${programs}/program`, '#!/bin/sh\necho 0\n', { mode: 0o755 });
  process.env['BERTH_PROGRAM'] = `${programs}/program`;
});

after(() => {
  delete process.env['BERTH_PROGRAM'];
  rmSync(programs, { recursive: true });
});

interface Served {
  /** Pulls, and says which architecture the name has then. */
  readonly pull: (platform: Platform, strict: boolean) => Promise<string>;
  readonly store: string;
  /** Requests that the registry had since the last look. */
  readonly asked: () => string[];
}

/** A registry with an index whose image for a platform says to be for `says(platform)`; its images have no layers. */
function serve(t: TestContext, says: (platform: Platform) => object): Served {
  const store = mkdtempSync(`${tmpdir()}/berth-platform-`);
  t.after(() => rmSync(store, { recursive: true }));
  for (const path of ['images', 'layers', 'names', 'pulled', 'tmp', 'locks', 'blobs/sha256'])
    mkdirSync(`${store}/${path}`, { recursive: true });
  writeFileSync(`${store}/version`, '{"version":1}\n');
  const log: string[] = [];
  const blobs = new Map<string, string>();
  const put = (text: string): Digest => {
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest;
    blobs.set(digest, text);
    return digest;
  };
  const named = put('the index');
  const registry = {
    reference: NAME,
    head: () => Promise.resolve((log.push('head'), named)),
    manifest(platform: Platform) {
      log.push('manifest');
      const bytes = JSON.stringify({ of: platform });
      const text = JSON.stringify({ ...says(platform), rootfs: { type: 'layers', diff_ids: [] } });
      const config = { mediaType: 'config', digest: put(text), size: text.length };
      return Promise.resolve({ digest: put(bytes), named, mediaType: 'manifest', bytes, config, layers: [] });
    },
    document: ({ digest }: { digest: string }) => Promise.resolve(blobs.get(digest) ?? ''),
    close: () => undefined,
  } as unknown as Registry;
  return {
    store,
    asked: () => log.splice(0),
    async pull(platform, strict) {
      const { id } = await pullImage(host, store, {
        name: NAME,
        policy: 'always',
        platform,
        strict,
        registries: () => [registry],
        progress: makeProgress(host, 'none'),
        signal: new AbortController().signal,
        say: () => undefined,
      });
      return (JSON.parse(readFileSync(`${store}/images/${id}.json`, 'utf8')) as Platform).architecture;
    },
  };
}

test('after a pull for another platform a plain one fetches this machine’s image, though the index is the same', async t => {
  const { pull, asked } = serve(t, platform => platform);
  assert.equal(await pull(OTHER, true), OTHER.architecture);
  assert.equal(await pull(OWN, false), OWN.architecture);
  assert.deepEqual(asked(), ['manifest', 'manifest']);
  assert.equal(await pull(OWN, false), OWN.architecture);
  assert.equal(await pull(OWN, true), OWN.architecture);
  assert.deepEqual(asked(), ['head', 'head']);
  assert.equal(await pull(OTHER, true), OTHER.architecture);
  assert.equal(await pull(OTHER, true), OTHER.architecture);
  assert.deepEqual(asked(), ['manifest', 'head']);
});

test('what is the best for a platform is unchanged, whatever it says of itself', async t => {
  const { pull, asked } = serve(t, () => OTHER);
  assert.equal(await pull(OWN, false), OTHER.architecture);
  assert.equal(await pull(OWN, false), OTHER.architecture);
  assert.deepEqual(asked(), ['manifest', 'head']);
  await assert.rejects(pull(OWN, true), /the image is for/);
  assert.equal(await pull(OWN, false), OTHER.architecture);
  const arm = serve(t, () => ({ os: 'linux', architecture: 'arm', variant: 'v7' }));
  const wanted = { os: 'linux', architecture: 'arm', variant: 'v6' };
  assert.deepEqual([await arm.pull(wanted, true), await arm.pull(wanted, true)], ['arm', 'arm']);
  assert.deepEqual(arm.asked(), ['manifest', 'head']);
});

test('a variant that was asked for is another wish, v8 of arm64 is not', async t => {
  const { pull, asked } = serve(t, platform => platform);
  for (const variant of ['v6', 'v7', 'v7']) await pull({ os: 'linux', architecture: 'arm', variant }, true);
  assert.deepEqual(asked(), ['manifest', 'manifest', 'head']);
  await pull({ os: 'linux', architecture: 'arm64' }, true);
  await pull({ os: 'linux', architecture: 'arm64', variant: 'v8' }, true);
  assert.deepEqual(asked(), ['manifest', 'head']);
});

test('the note of an older version, which does not say for what it was, is written anew once', async t => {
  const { pull, asked, store } = serve(t, platform => platform);
  await pull(OWN, false);
  const { platform, ...older } = JSON.parse(readFileSync(`${store}/${NOTE}`, 'utf8')) as Record<string, unknown>;
  assert.equal(platform, '');
  writeFileSync(`${store}/${NOTE}`, JSON.stringify(older));
  asked();
  for (let i = 0; i < 2; i++) await pull(OWN, false);
  assert.deepEqual(asked(), ['manifest', 'head']);
});
