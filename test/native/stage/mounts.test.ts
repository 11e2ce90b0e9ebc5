/** Mounts and devices. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { op } from '../../../src/ops/encode.ts';
import type { Op } from '../../../src/ops/ops.ts';
import { ACCOUNT_MODE, directory, list, makeRoot, own, play, ROOT, type Outcome } from './stage.ts';

for (const mode of [ROOT, ACCOUNT_MODE]) {
  const where = `as ${mode.name}`;
  const root = makeRoot(mode);
  const run = (inside: readonly Op[], script: string, after: readonly Op[] = []): Outcome =>
    play(mode, list(mode, root, { inside, after, argv: ['sh', '-c', script] }));

  test(`binds with their attributes, ${where}`, () => {
    const source = directory(mode);
    mkdirSync(`${source}/sub`);
    writeFileSync(`${source}/file`, 'content\n');
    own(mode, source);
    const done = run(
      [
        op('bind', source, '/tmp/rw', 'point,r,rprivate', ''),
        op('bind', source, '/tmp/ro', 'point,ro,nosuid,nodev,noexec,noatime', ''),
        op('bind', `${source}/file`, '/tmp/new/file', 'point,ro', ''),
        op('mount', 'tmpfs', 'tmpfs', '/tmp/rw/sub', '', 'size=4k,mode=700'),
        op('bind', '/tmp', '/tmp/host', 'point,rro', ''),
      ],
      'echo more > /tmp/rw/x; echo no > /tmp/ro/x; echo no > /tmp/new/file; cat /tmp/ro/x /tmp/new/file; grep " /tmp/ro " /proc/mounts; stat -c %a /tmp/rw/sub',
    );
    assert.match(done.text, /more\ncontent\n/);
    // In a user namespace the access times are locked as the host has them.
    assert.match(
      done.text,
      mode.user ? / \/tmp\/ro .* ro,nosuid,nodev,noexec,relatime/ : / \/tmp\/ro .* ro,nosuid,nodev,noexec,noatime/,
    );
    assert.match(done.text, /\n700\n/, done.text);
    assert.equal(done.text.match(/Read-only file system/g)?.length, 2);
  });

  test(`a mount below a recursive read-only bind is read-only too, ${where}`, () => {
    const done = run(
      [op('bind', '/sys', '/tmp/s', 'point,r,rro', '')],
      'grep -c " /tmp/s" /proc/mounts; grep " /tmp/s" /proc/mounts | grep -v " ro[, ]"; echo end',
    );
    assert.match(done.text, /\n\d+\nend\n/, done.text);
  });

  const failures: readonly (readonly [string, Op, RegExp])[] = [
    ['a missing source', op('bind', '/no/such', '/tmp/a', 'point', ''), /^bind 2 \/no\/such: no such file/],
    [
      'a directory where a file is wanted',
      op('bind', '/etc', '/tmp/b', 'point,source-file', ''),
      /^bind 21 \/etc: .*a file was expected/,
    ],
    [
      'a file where a directory is wanted',
      op('bind', '/etc/passwd', '/tmp/c', 'point,source-dir', ''),
      /^bind 20 \/etc\/passwd: .*a directory was expected/,
    ],
    [
      'a file over a directory',
      op('bind', '/etc/passwd', '/tmp', '', ''),
      /^bind 22 \/tmp: .*one of source and target/,
    ],
    [
      'a file over a directory, with a point',
      op('bind', '/etc/passwd', '/tmp', 'point', ''),
      /^bind 21 \/tmp: .*a file is wanted here/,
    ],
    ['a missing target', op('bind', '/etc', '/tmp/none/deep', '', ''), /^bind 2 \/tmp\/none\/deep: /],
    ['an unknown flag', op('bind', '/etc', '/tmp', 'shiny', ''), /^bind 22 \/etc: .*not known/],
    [
      'an unknown file system',
      op('mount', 'nofs', 'x', '/tmp', '', ''),
      /^mount 19 \/tmp: no such device.*does not know this file system/,
    ],
    [
      'an unknown option',
      op('mount', 'tmpfs', 'x', '/tmp', '', 'colour=red'),
      /^mount 22 \/tmp: invalid argument.*colour/,
    ],
    ['a device that the host has not', op('device', '/dev/strange', 'c', 240, 77, '666', 0, 0), /^device/],
    [
      'a layer that is gone',
      op('root-overlay', '', '', '', '', '/no/layer', '/etc'),
      /^root-overlay 2 \/no\/layer: no such file/,
    ],
    ['nothing to remount', op('remount', '/tmp', 'ro'), /^remount 22 \/tmp: .*nothing is mounted there/],
    ['a hostname beyond all length', op('hostname', 'x'.repeat(65)), /^hostname 22 x/],
  ];
  for (const [what, one, expected] of failures) {
    test(`${what}, ${where}`, () => {
      const done = run([one], 'echo ran');
      if (one.name === 'device' && !mode.user) {
        assert.match(done.text, /\nran\n/);
        return;
      }
      assert.match(done.fail, expected, done.text);
      assert.equal(done.status, 125);
    });
  }

  test(`an id-mapped bind, ${where}`, () => {
    const source = directory(mode);
    writeFileSync(`${source}/mine`, '');
    own(mode, source);
    const mapped = (script: string, after: readonly Op[] = []): Outcome => {
      const bind = op('bind', source, '/tmp/mapped', 'point', '0');
      const ops = list(mode, root, { inside: [bind], after, argv: ['sh', '-c', script] });
      ops.splice(
        ops.findIndex(one => one.name === 'root-bind'),
        0,
        op('id-map', '0 1000 1,33 0 1;0 1000 1'),
      );
      return play(mode, ops);
    };
    const done = mapped('stat -c "%u %g" /tmp/mapped/mine');
    if (mode.user) {
      assert.match(done.fail, /^(bind|id-map) 1 .*\(an id-mapped mount needs root/, done.text);
      return;
    }
    assert.match(done.text, /\n1000 1000\n/, done.text);
    chmodSync(source, 0o777);
    assert.equal(mapped('echo x > /tmp/mapped/by-user', [op('user', 1000, 1000)]).status, 0);
    assert.equal(statSync(`${source}/by-user`).uid, 0, 'what 1000 writes belongs to 0 on the disk');
  });

  test(`create makes a missing source, ${where}`, () => {
    const base = directory(mode);
    const done = run([op('bind', `${base}/a/b`, '/tmp/created', 'point,create', '')], 'touch /tmp/created/x');
    assert.equal(done.status, 0, done.text);
    assert.ok(existsSync(`${base}/a/b/x`));
  });

  test(`a tmpfs has the mode that it is given, else that of what it covers, else 1777, ${where}`, () => {
    mkdirSync(`${root}/covered`, { mode: 0o750 });
    own(mode, `${root}/covered`);
    const done = run(
      [
        op('mount', 'tmpfs', 'tmpfs', '/covered', 'point', ''),
        op('mount', 'tmpfs', 'tmpfs', '/fresh', 'point', ''),
        op('mount', 'tmpfs', 'tmpfs', '/given', 'point', 'size=4k,mode=711'),
        op('tmpfs-copyup', '/etc', 'mode=700', 'point'),
        op('tmpfs-copyup', '/copied', '', 'point'),
      ],
      'stat -c "%a %u" /covered /fresh /given /etc /copied; cat /etc/hello',
    );
    assert.match(done.text, /750 0\n1777 0\n711 0\n700 0\n1777 0\nhello/, done.text);
  });

  test(`what is shared stays shared after pivot, and nothing of the old root is unmounted outside, ${where}`, () => {
    const source = directory(mode);
    const ops = list(mode, root, {
      inside: [
        op('mount', 'tmpfs', 'tmpfs', '/tmp/t', 'point', ''),
        op('bind', source, '/tmp/shared', 'point,rshared', ''),
      ],
      argv: ['sh', '-c', 'grep /tmp/shared /proc/self/mountinfo; grep -c . /proc/self/mountinfo'],
    });
    const done = play(mode, ops);
    assert.match(done.text, /\/tmp\/shared [^-]*shared:\d+/, done.text);
    assert.equal(done.status, 0);
    assert.ok(existsSync('/proc/self/status'));
  });

  test(`files, links and directories of ours, ${where}`, () => {
    const done = run(
      [
        op('mount', 'tmpfs', 'tmpfs', '/run', '', ''),
        op('symlink', '/etc/hello', '/run/marker'),
        op('write-file', '/run/marker', '640', 'engine="berth"\n'),
        op('mkdir', '/run/deep/er', '1777', 5, 6),
        op('mkdir', '/run/deep', '700', 7, 8),
        op('symlink', 'x', '/run/marker'),
      ],
      'cat /run/marker /etc/hello; stat -c "%a %u %g" /run/marker /run/deep/er /run/deep',
    );
    assert.match(done.text, /engine="berth"\nhello from the image\n640 0 0\n1777 5 6\n755 0 0\n/, done.text);
  });

  test(`a root and a mount become read-only late, and device nodes stay shut, ${where}`, () => {
    const done = run(
      [
        op('mkdir', '/tmp/late', '755', 0, 0),
        op('mount', 'tmpfs', 'tmpfs', '/tmp/late', '', ''),
        op('root-remount', 'ro,nodev'),
        op('remount', '/tmp/late', 'ro'),
      ],
      'touch /x /tmp/late/y; grep -E " (/|/tmp/late) " /proc/mounts; echo ok > /dev/null && echo null works',
    );
    assert.match(done.text, / \/ \S+ ro,nodev,/);
    assert.match(done.text, /tmpfs \/tmp\/late tmpfs ro,/);
    assert.match(done.text, /null works/, done.text);
  });

  test(`bind-fd attaches an open file, ${where}`, () => {
    const file = `${directory(mode)}/given`;
    writeFileSync(file, 'given\n');
    chmodSync(file, 0o644);
    own(mode, file);
    const ops = list(mode, root, {
      inside: [op('bind', file, '/tmp/by-name', 'point', '')],
      argv: ['cat', '/tmp/by-name'],
    });
    assert.match(play(mode, ops).text, /\ngiven\n/);
    assert.equal(readFileSync(file, 'utf8'), 'given\n');
  });

  test(`a part of a file system, and none of its links leads out, ${where}`, () => {
    const [one, two] = [directory(mode), directory(mode)];
    mkdirSync(`${one}/deep/er`, { recursive: true });
    writeFileSync(`${one}/deep/er/file`, 'inner\n');
    symlinkSync('/etc', `${one}/link`);
    own(mode, one);
    const data = `lowerdir=${one}:${two}${mode.user ? ',userxattr' : ''}`;
    const part = (below: string, script: string): Outcome =>
      run([op('mount-below', 'overlay', 'overlay', '/tmp/over', 'point,nodev,ro', data, below)], script);
    const done = part('/deep', 'cat /tmp/over/er/file; echo no >/tmp/over/new; grep -c " overlay " /proc/mounts');
    assert.match(done.text, /\ninner\n1\n.*Read-only file system\n/, done.text);
    assert.match(part('link', 'true').fail, /^mount-below 2 link: .*no such subpath/);
  });

  test(`an option longer than fsconfig takes goes by mount(2), ${where}`, () => {
    const layers = Array.from({ length: 8 }, () => directory(mode));
    writeFileSync(`${layers[7] ?? ''}/bottom`, 'bottom\n');
    const data = `lowerdir=${layers.map(layer => `${layer}/../${layer.split('/').at(-1) ?? ''}`).join(':')}${mode.user ? ',userxattr' : ''}`;
    assert.ok(data.length > 256);
    const done = run(
      [op('mount', 'overlay', 'overlay', '/tmp/over', 'point,nodev', data)],
      'cat /tmp/over/bottom; grep -c "/tmp/over overlay ro\\|/tmp/over overlay rw,nodev" /proc/mounts',
    );
    assert.match(done.text, /\nbottom\n1\n/, done.text);
  });
}
