import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { nodeHost } from '../../../../src/host/node.ts';
import { lockLayers, lockPull, type Wait } from '../../../../src/image/pull/locks.ts';
import { RegistryError } from '../../../../src/image/registry/error.ts';
import type { Digest } from '../../../../src/image/types.ts';

const LAYERS = ['a', 'b'].map(letter => `sha256:${letter.repeat(64)}` as Digest);
const store = mkdtempSync(`${tmpdir()}/berth-locks-`);
const host = nodeHost();

/** What `berth layer lock` does, with flock(1): it shares our open files. */
const PROGRAM = `#!/bin/sh
[ -z "$4" ] || { echo 0; exec flock 3; }
for n in $(seq 0 $((\${3#count=} - 1))); do flock -n $((n + 3)) && echo $n; done
exit 0
`;

before(() => {
  writeFileSync(`${store}/program`, PROGRAM, { mode: 0o755 });
  process.env['BERTH_PROGRAM'] = `${store}/program`;
});

after(() => {
  delete process.env['BERTH_PROGRAM'];
  rmSync(store, { recursive: true });
});

function wait(how: Partial<Wait> = {}): Wait {
  return { tell: () => undefined, ...how };
}

/** Descriptors of lock files that are open. */
function openLocks(): number {
  const paths = readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return paths.filter(path => path.startsWith(`${store}/locks/`)).length;
}

test('who gives up waiting leaves the lock to who has it', async () => {
  const { lock } = await lockPull(host, store, 'one', wait());
  await assert.rejects(lockPull(host, store, 'one', wait({ patience: 1 })), { kind: 'stalled' });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 200);
  await assert.rejects(lockPull(host, store, 'one', wait({ signal: stop.signal })));
  // Aborted before it waits.
  await assert.rejects(lockPull(host, store, 'one', wait({ signal: stop.signal, patience: 5 })), /aborted/);
  await assert.rejects(lockPull(host, store, 'one', wait({ patience: 1 })), { kind: 'stalled' });
  lock.release(true);
  assert.deepEqual([readdirSync(`${store}/locks`), openLocks()], [[], 0]);
});

test('who gets the lock of a file that was removed locks the one that is there now', async () => {
  const { lock } = await lockPull(host, store, 'two', wait());
  const [second, third] = [lockPull(host, store, 'two', wait()), lockPull(host, store, 'two', wait())];
  setTimeout(() => lock.release(true), 300);
  const next = await Promise.race([second.then(() => 'second'), third.then(() => 'third')]);
  const { lock: ours, waited } = await (next === 'second' ? second : third);
  assert.equal(waited, true);
  await assert.rejects(lockPull(host, store, 'two', wait({ patience: 1 })), { kind: 'stalled' });
  ours.release(false);
  (await (next === 'second' ? third : second)).lock.release(true);
  assert.deepEqual([readdirSync(`${store}/locks`), openLocks()], [[], 0]);
});

test('a layer is waited for while the pull that has it goes on', async () => {
  const theirs = await lockLayers(host, store, LAYERS);
  const [first, second] = LAYERS.map(layer => theirs.held.get(layer));
  const ours = await lockLayers(host, store, LAYERS);
  assert.equal(ours.held.size, 0);
  let beat = 0;
  const timer = setInterval(() => first?.publish({ bytes: 7, beat: beat++, text: '20' }), 500);
  second?.publish({ bytes: 7, beat: 1, text: '20' });
  const told: string[] = [];
  const tell = (state: { bytes: number; text: string }): void => void told.push(`${state.bytes}/${state.text}`);
  const [one, two] = LAYERS.map(layer => ours.busy.get(layer));
  const patient = one?.(wait({ patience: 2, tell }));
  await assert.rejects(two?.(wait({ patience: 2 })) ?? Promise.resolve(), RegistryError);
  setTimeout(() => first?.release(true), 2000);
  await patient;
  clearInterval(timer);
  // The file that is there after the first one was removed says nothing yet.
  assert.ok(told.length >= 4 && told.filter(line => line === '7/20').length >= 2, told.join(' '));
  ours.release();
  theirs.release();
  assert.equal(openLocks(), 0);
  assert.equal(readdirSync(`${store}/locks`).length, 2);
});
