import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { nodeHost } from '../../../../src/host/node.ts';
import { fetchLayers, type LayerFetch, type WantedLayer } from '../../../../src/image/pull/layers.ts';
import { lockLayers } from '../../../../src/image/pull/locks.ts';
import { makeProgress } from '../../../../src/image/pull/progress.ts';
import { RegistryError, type RegistryErrorKind } from '../../../../src/image/registry/error.ts';
import { sha256 } from '../registry/server.ts';

const store = mkdtempSync(`${tmpdir()}/berth-layers-`);
const host = nodeHost();

/** What `berth layer` does: locks, and a layer of what comes. Who waits for a lock leaves a mark. */
const PROGRAM = `#!/bin/sh
case $2 in
lock)
    [ -z "$4" ] || { echo 0; echo >>"\${0%/*}/waiting"; exec flock 3; }
    for n in $(seq 0 $((\${3#count=} - 1))); do flock -n $((n + 3)) && echo $n; done
    exit 0 ;;
apply)
    mkdir "\${3#target=}"
    cat >"\${3#target=}/layer.json"
    echo '{"warnings":[],"size":1,"entries":1}' ;;
remove) rm -rf "\${3#path=}" ;;
esac
`;

before(() => {
  for (const directory of ['layers', 'tmp']) mkdirSync(`${store}/${directory}`);
  writeFileSync(`${store}/program`, PROGRAM, { mode: 0o755 });
  process.env['BERTH_PROGRAM'] = `${store}/program`;
});

after(() => {
  delete process.env['BERTH_PROGRAM'];
  rmSync(store, { recursive: true });
});

const layer = (name: string, size = 10): WantedLayer => ({
  diffId: sha256(`diff ${name}`),
  digest: sha256(name),
  size,
  mediaType: '',
});

const how = (fetch: LayerFetch['fetch']): LayerFetch => ({
  store,
  work: `${store}/tmp`,
  progress: makeProgress(host, 'none'),
  signal: new AbortController().signal,
  ids: Promise.resolve({ words: [], pass: [], close: () => undefined }),
  patience: undefined,
  say: () => undefined,
  fetch,
});

/** How many wait for a lock, as soon as they are so many; after a minute, as many as there are. */
async function marks(least: number): Promise<number> {
  let found = 0;
  for (const end = Date.now() + 60_000; found < least && Date.now() < end;) {
    await new Promise(resolve => setTimeout(resolve, 20));
    found = existsSync(`${store}/waiting`) ? readFileSync(`${store}/waiting`).length : 0;
  }
  return found;
}

test('when the pull that others follow ends without its layers, they are fetched some at a time', async () => {
  const wanted = Array.from({ length: 20 }, (_, i) => layer(`n${i}`));
  const theirs = await lockLayers(
    host,
    store,
    wanted.map(one => one.diffId),
  );
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  let now = 0;
  let most = 0;
  const done = fetchLayers(
    host,
    wanted,
    how(async (_layer, _offset, sink) => {
      most = Math.max(most, ++now);
      await new Promise(resolve => setTimeout(resolve, 300));
      await sink(Buffer.from('{}'));
      now--;
    }),
  );
  const waiting = await marks(wanted.length);
  const before = most;
  theirs.release();
  await done;
  assert.equal(waiting, wanted.length);
  assert.equal(before, 0);
  assert.equal(readdirSync(`${store}/layers`).length, 20);
  process.off('warning', warned);
  assert.deepEqual(warnings, []);
  assert.ok(most >= 2 && most <= 6, `${most} at once`);
});

/** Fetches a layer of which an earlier pull has kept a part; going on from there fails. From where it was fetched, and what is kept then. */
async function goOn(
  name: string,
  kind: RegistryErrorKind,
): Promise<{ offsets: number[]; left: boolean; failure: unknown }> {
  const data = randomBytes(5 << 20);
  const kept = { ...layer(name, data.length), digest: sha256(data) };
  const offsets: number[] = [];
  const partial = `${store}/partial/${kept.digest.replace(':', '-')}.${kept.diffId.slice(7, 23)}`;
  mkdirSync(`${store}/partial`, { recursive: true });
  writeFileSync(partial, data.subarray(0, PART));
  const fetch = fetchLayers(
    host,
    [kept],
    how(async (_layer, offset, sink) => {
      offsets.push(offset);
      if (offset > 0) throw new RegistryError(kind, 'of no use');
      await sink(data);
    }),
  );
  const failure: unknown = await fetch.then(
    () => undefined,
    (error: unknown) => error,
  );
  return { offsets, left: existsSync(partial), failure };
}

const PART = 1 << 20;

test('what was kept and leads nowhere is thrown away, and the layer fetched from its start', async () => {
  assert.deepEqual(await goOn('bad', 'bad-digest'), { offsets: [PART, 0], left: false, failure: undefined });
});

test('an answer that says nothing about what was kept leaves it to the next pull', async () => {
  for (const kind of ['bad-answer', 'broken', 'unauthorized'] as const) {
    const { offsets, left, failure } = await goOn(kind, kind);
    assert.deepEqual({ offsets, left }, { offsets: [PART], left: true });
    assert.match(String(failure), /layer sha256:[0-9a-f]{12}: of no use/);
  }
});
