/** What is made outside of the container's user namespace and attached inside. */
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { op } from '../../../src/ops/encode.ts';
import type { Op } from '../../../src/ops/ops.ts';
import { BASE, directory, makeRoot, play, ROOT, type Outcome } from './stage.ts';

const MAPS = '0 300000 65536;0 300000 65536';
const root = makeRoot(ROOT);

/** Layers of root below a directory that is closed to others, as the store is. */
function run(outside: readonly Op[], inside: readonly Op[], script: string, flags = 'detached'): Outcome {
  const place = directory(ROOT);
  for (const name of ['upper', 'work']) mkdirSync(`${place}/${name}`);
  chownSync(`${place}/upper`, 300000, 300000);
  const ops = [
    op('unshare', '20000'),
    op('propagation', '/', 'rslave'),
    op('id-map', MAPS),
    op('id-map-at', root, '0'),
    op('root-overlay', `${place}/upper`, `${place}/work`, flags, '', root),
    op('check-root', '/dev', '/proc', '/sys'),
    ...outside,
    op('nest', MAPS),
    op('unshare', '6c020000'),
    op('fork'),
    op('sync', 'created'),
    op('become-root'),
    op('root-attach'),
    ...BASE,
    ...inside,
    op('pivot'),
    op('environment', 'PATH=/bin'),
    op('exec', '/bin', 'sh', '-c', script),
  ];
  return play(ROOT, ops, { namespaces: 0x0 });
}

for (const flags of ['detached', 'detached,legacy']) {
  test(`root's layers appear with the ids of the map, what is written belongs to the map (${flags})`, () => {
    const done = run(
      [],
      [],
      'stat -c %u:%g /etc/hello /; id -u; echo x >/etc/made; stat -c %u:%g /etc/made; cat /etc/hello',
      flags,
    );
    assert.match(done.text, /\n0:0\n0:0\n0\n0:0\nhello from the image\n/, done.text);
    assert.equal(statSync(`${root}/etc/hello`).uid, 0);
  });
}

test('a source in a directory that is closed to the container is attached by its number', () => {
  const closed = directory(ROOT);
  mkdirSync(`${closed}/a/b`, { recursive: true, mode: 0o700 });
  writeFileSync(`${closed}/a/b/file`, 'kept\n', { mode: 0o644 });
  const done = run(
    [op('keep', `${closed}/a/b/file`, '', '', 'ro', ''), op('keep', `${closed}/a`, '', '/b/file', 'ro', '')],
    [op('attach', 1, '/tmp/below', 'point'), op('attach', 0, '/tmp/file', 'point')],
    'cat /tmp/file /tmp/below; echo no >/tmp/file; ls /tmp',
  );
  assert.match(done.text, /kept\nkept\n/, done.text);
  assert.match(done.text, /Read-only file system/);
});

test('an overlay that is made outside', () => {
  const lower = directory(ROOT);
  mkdirSync(`${lower}/one`);
  mkdirSync(`${lower}/two`);
  writeFileSync(`${lower}/two/file`, 'two\n');
  const done = run(
    [op('keep-mount', 'overlay', 'overlay', 'ro', `lowerdir=${lower}/one:${lower}/two`, '')],
    [op('attach', 0, '/tmp/o', 'point')],
    'cat /tmp/o/file',
  );
  assert.match(done.text, /\ntwo\n/, done.text);
});

test('a part of an overlay that is made outside, and one of more layers than fsconfig(2) takes in one string', () => {
  const lower = directory(ROOT);
  const layers = Array.from({ length: 9 }, (_, index) => `${lower}/${'layer'.repeat(6)}-${index}`);
  for (const [index, layer] of layers.entries()) {
    mkdirSync(`${layer}/deep/er`, { recursive: true });
    writeFileSync(`${layer}/deep/er/file-${index}`, `of ${index}\n`);
  }
  const data = `lowerdir=${layers.join(':')}`;
  assert.ok(data.length > 255);
  const done = run(
    [
      op('keep-mount', 'overlay', 'overlay', 'ro', data, ''),
      op('keep-mount', 'overlay', 'overlay', 'ro', data, 'deep/er'),
      op('keep-mount', 'overlay', 'overlay', 'ro', `lowerdir=${layers[1] ?? ''}:${layers[2] ?? ''}`, 'deep/er/file-1'),
    ],
    [
      op('attach', 0, '/tmp/whole', 'point'),
      op('attach', 1, '/tmp/part', 'point'),
      op('attach', 2, '/tmp/file', 'point'),
    ],
    'cat /tmp/whole/deep/er/file-8 /tmp/part/file-0 /tmp/file; echo no >/tmp/part/new; grep -c " overlay " /proc/mounts; ls /',
  );
  // Its root is the fourth; what they were cut from is gone.
  assert.match(done.text, /of 8\nof 0\nof 1\n4\n[^]*\/tmp\/part\/new: Read-only file system\n/, done.text);
});

test('a number that was not kept, and one that was attached before', () => {
  assert.match(run([], [op('attach', 0, '/tmp', '')], 'true').fail, /^attach 22 \/tmp: .*no kept mount of this number/);
  const twice = run(
    [op('keep', '/etc', '', '', '', '')],
    [op('attach', 0, '/tmp', ''), op('attach', 0, '/run', '')],
    'true',
  );
  assert.match(twice.fail, /^attach 22 \/run: /);
});
