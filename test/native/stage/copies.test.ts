/** Copies: volumes filled from the image, and given away. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { op } from '../../../src/ops/encode.ts';
import type { Op } from '../../../src/ops/ops.ts';
import { ACCOUNT_MODE, denying, directory, list, makeRoot, own, play, ROOT, type Outcome } from './stage.ts';

for (const mode of [ROOT, ACCOUNT_MODE]) {
  const where = `as ${mode.name}`;
  const root = makeRoot(mode);
  const run = (inside: readonly Op[], script: string, after: readonly Op[] = []): Outcome =>
    play(mode, list(mode, root, { inside, after, argv: ['sh', '-c', script] }));

  /** A tree with all that a copy has to keep. */
  const fill = (path: string): void => {
    mkdirSync(`${path}/sub/deeper`, { recursive: true });
    writeFileSync(`${path}/sub/file`, 'x'.repeat(100_000));
    linkSync(`${path}/sub/file`, `${path}/sub/deeper/linked`);
    writeFileSync(`${path}/setuid`, '');
    chmodSync(`${path}/setuid`, 0o4755);
    symlinkSync('/etc/passwd', `${path}/link`);
    spawnSync('mkfifo', [`${path}/fifo`]);
    spawnSync('touch', ['-d', '2001-02-03 04:05:06.789', `${path}/sub/file`]);
    own(mode, path);
    chmodSync(`${path}/setuid`, 0o4755);
    chmodSync(path, 0o1750);
    spawnSync('setfattr', ['-n', 'user.berth', '-v', 'kept', `${path}/sub/file`]);
  };
  const check =
    'cd /tmp/copy; stat -c "%a %u %h %Y %s" sub/file; stat -c %a . setuid; readlink link; test -p fifo && echo fifo; test sub/file -ef sub/deeper/linked && echo linked';
  const expected = /4?\n?644 0 2 981173106 100000\n1750\n4755\n\/etc\/passwd\nfifo\nlinked\n/;

  test(`tmpfs copy-up keeps what is there, ${where}`, () => {
    mkdirSync(`${root}/tmp/copy`);
    fill(`${root}/tmp/copy`);
    const done = run(
      [op('tmpfs-copyup', '/tmp/copy', 'size=1m', 'nosuid')],
      `${check}; grep " /tmp/copy " /proc/mounts`,
    );
    assert.match(done.text, expected, done.text);
    assert.match(done.text, /tmpfs \/tmp\/copy tmpfs rw,nosuid/);
    const full = run([op('tmpfs-copyup', '/tmp/copy', 'size=8k', '')], 'echo ran');
    assert.match(full.fail, /^tmpfs-copyup 28 \/tmp\/copy: no space left on device: while copying /, full.text);
  });

  test(`copy-up fills an empty volume, and only that, ${where}`, () => {
    const volume = directory(mode);
    const fresh = run([op('copy-up', volume, '/tmp/copy', 0, 0, ''), op('bind', volume, '/tmp/copy', '', '')], check);
    assert.match(fresh.text, expected, fresh.text);
    assert.equal(readlinkSync(`${volume}/link`), '/etc/passwd');
    assert.equal(
      spawnSync('getfattr', ['--only-values', '-n', 'user.berth', `${volume}/sub/file`], { encoding: 'latin1' }).stdout,
      'kept',
    );
    const used = directory(mode);
    writeFileSync(`${used}/mine`, '');
    run([op('copy-up', used, '/tmp/copy', 0, 0, ''), op('copy-up', used, '/no/such/place', 0, 0, '')], 'true');
    assert.ok(existsSync(`${used}/mine`) && !existsSync(`${used}/sub`));
  });

  test(`copy-up makes a whole one of what a killed start left, and waits for who fills it, ${where}`, () => {
    const record = directory(mode);
    const volume = `${record}/_data`;
    const listing = (): string[] => readdirSync(volume).sort();
    const start = (target: string): Outcome =>
      run([op('copy-up', volume, target, 0, 0, record), op('bind', volume, '/tmp/copy', '', '')], check);
    const whole = ['fifo', 'link', 'setuid', 'sub'];
    // In the copy: it does not count.
    mkdirSync(`${volume}/.berth-filling/sub/half`, { recursive: true });
    writeFileSync(`${volume}/.berth-filling/sub/file`, 'part');
    own(mode, record);
    const again = start('/tmp/copy');
    assert.match(again.text, expected, again.text);
    assert.deepEqual(listing(), whole);
    // After it: what is there has only to be moved, and what others have written stays.
    mkdirSync(`${volume}/.berth-filled/more`, { recursive: true });
    writeFileSync(`${volume}/.berth-filled/more/file`, 'moved');
    writeFileSync(`${volume}/.berth-filled/link`, 'not moved');
    own(mode, `${volume}/.berth-filled`);
    chmodSync(`${volume}/.berth-filled`, 0o1750);
    assert.equal(start('').status, 0);
    assert.deepEqual(listing(), [...whole.slice(0, 2), 'more', ...whole.slice(2)]);
    assert.equal(readFileSync(`${volume}/more/file`, 'utf8'), 'moved');
    assert.equal(readlinkSync(`${volume}/link`), '/etc/passwd');
    // Neither of the names leads anywhere.
    const outside = directory(mode);
    writeFileSync(`${outside}/kept`, '');
    for (const name of ['filling', 'filled']) symlinkSync(outside, `${volume}/.berth-${name}`);
    assert.equal(start('').status, 0);
    assert.deepEqual(readdirSync(outside), ['kept']);
    assert.ok(!listing().some(name => name.startsWith('.berth')));
    // Without the lock another's copy could be removed in its middle.
    mkdirSync(`${volume}/.berth-filling`);
    const unlocked = run([op('copy-up', volume, '', 0, 0, `${record}/none`)], 'true');
    assert.match(unlocked.fail, /^copy-up 2 .*\/none: /, unlocked.text);
    assert.ok(existsSync(`${volume}/.berth-filling`));
    // Another holds the lock for half a second.
    const began = performance.now();
    spawn('flock', [record, 'sleep', '0.5']);
    spawnSync('sh', ['-c', 'while flock --nonblock "$1" true; do :; done', 'sh', record]);
    assert.equal(start('').status, 0);
    assert.ok(performance.now() - began > 400);
  });

  test(`copy-up tells the error that waiting for the disk meets: fsync would not see it again, ${where}`, () => {
    const record = directory(mode);
    const volume = `${record}/_data`;
    mkdirSync(volume);
    own(mode, record);
    const syncFileRange = 277;
    const done = run(
      [op('seccomp', denying(syncFileRange), ''), op('copy-up', volume, '/tmp/copy', 0, 0, record)],
      'echo ran',
    );
    assert.match(done.fail, /^copy-up 13 /, done.text);
    assert.deepEqual(readdirSync(volume), []);
  });

  test(`chown-tree gives a volume away, ${where}`, () => {
    const volume = directory(mode);
    mkdirSync(`${volume}/a/b`, { recursive: true });
    const outside = directory(mode);
    symlinkSync(outside, `${volume}/a/link`);
    own(mode, volume);
    const before = statSync(outside).uid;
    const done = run([op('chown-tree', volume, 33, 34)], 'true');
    assert.equal(done.status, 0, done.text);
    const id = mode.user ? 300_000 + 33 - 1 : 33;
    for (const path of [volume, `${volume}/a/b`, `${volume}/a/link`]) assert.equal(lstatSync(path).uid, id, path);
    assert.equal(statSync(outside).uid, before);
    if (mode.user)
      assert.match(run([op('chown-tree', volume, 99_999_999, 0)], 'true').fail, /^chown-tree 22 .*not mapped/);
  });
}

// Without SELinux the kernel keeps the attribute as it is written, and lets root alone write it.
test('label-tree labels a tree once, without its links and mounts', () => {
  const volume = directory(ROOT);
  mkdirSync(`${volume}/a/mounted`, { recursive: true });
  writeFileSync(`${volume}/a/file`, '');
  const outside = directory(ROOT);
  symlinkSync(outside, `${volume}/a/link`);
  const context = 'system_u:object_r:container_file_t:s0:c1,c2';
  const labelOf = (path: string): string =>
    spawnSync('getfattr', ['--only-values', '-h', '-n', 'security.selinux', path], {
      encoding: 'latin1',
    }).stdout.replace(/\0$/, '');
  spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', `${volume}/a/mounted`]);
  try {
    const done = play(ROOT, [op('label-tree', volume, context), op('exec', '/bin', 'true')]);
    assert.equal(done.status, 0, done.text);
    for (const path of ['', '/a', '/a/file', '/a/link']) assert.equal(labelOf(volume + path), context, path);
    for (const path of [outside, `${volume}/a/mounted`]) assert.equal(labelOf(path), '', path);
  } finally {
    spawnSync('umount', [`${volume}/a/mounted`]);
  }
  // The top says that all has it: what was labelled otherwise since then stays.
  const again = (): void => {
    assert.equal(play(ROOT, [op('label-tree', volume, context), op('exec', '/bin', 'true')]).status, 0);
  };
  spawnSync('setfattr', ['-n', 'security.selinux', '-v', 'u:r:t:s0', `${volume}/a/file`]);
  again();
  assert.equal(labelOf(`${volume}/a/file`), 'u:r:t:s0');
  spawnSync('setfattr', ['-n', 'security.selinux', '-v', 'u:r:t:s0', volume]);
  again();
  assert.equal(labelOf(`${volume}/a/file`), context);
  // No link on the way there is followed, and a file is labelled alone.
  symlinkSync(volume, `${outside}/way`);
  assert.match(play(ROOT, [op('label-tree', `${outside}/way/a`, 'u:r:t:s0')]).fail, /^label-tree 40 .*a link/);
  assert.equal(labelOf(`${volume}/a`), context);
  play(ROOT, [op('label-tree', `${volume}/a/file`, 'u:r:t:s0'), op('exec', '/bin', 'true')]);
  assert.equal(labelOf(`${volume}/a/file`), 'u:r:t:s0');
});
