import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { op } from '../../../src/ops/encode.ts';
import { denying, list, makeRoot, MODES, own, directory, play } from './stage.ts';

for (const mode of MODES) {
  const where = `as ${mode.name}`;

  test(`a root of its own, ${where}`, () => {
    const done = play(
      mode,
      list(mode, makeRoot(mode), {
        inside: [op('hostname', 'box'), op('sysctl', 'net.ipv4.ip_forward', '1')],
        after: [
          op('mask', '/proc/keys'),
          op('mask', '/proc/scsi'),
          op('mask', '/proc/nothing'),
          op('read-only', '/proc/sys'),
          op('sync', 'ready'),
        ],
        argv: [
          'sh',
          '-c',
          'cat /etc/hello; cat /proc/sys/kernel/hostname /proc/sys/net/ipv4/ip_forward; echo keys:$(cat /proc/keys); ls /proc/scsi; touch /proc/sys/kernel/hostname; echo x > /proc/sys/kernel/hostname; echo pid $$',
        ],
      }),
    );
    assert.match(done.text, /hello from the image\nbox\n1\nkeys:\n/);
    assert.match(done.text, /can't create \/proc\/sys\/kernel\/hostname: Read-only file system/);
    assert.match(done.text, /pid 1\n/);
    assert.equal(done.status, 0, done.text);
  });

  test(`T11 capabilities, no new privileges and a filter, ${where}`, () => {
    const done = play(
      mode,
      list(mode, makeRoot(mode), {
        after: [
          op('sync', 'ready'),
          op('capabilities', '4c0', '4c0', '4c0', '0', '0'),
          op('user', 0, 0),
          op('no-new-privileges'),
          op('seccomp', denying(83), ''),
        ],
        argv: ['sh', '-c', 'cat /proc/self/status; busybox mkdir /tmp/x'],
      }),
    );
    for (const set of ['CapPrm', 'CapEff', 'CapBnd'])
      assert.match(done.text, new RegExp(`${set}:\\s+00000000000004c0`), done.text);
    for (const set of ['CapInh', 'CapAmb']) assert.match(done.text, new RegExp(`${set}:\\s+0000000000000000`));
    assert.match(done.text, /NoNewPrivs:\s+1/);
    assert.match(done.text, /Seccomp:\s+2/);
    assert.match(done.text, /mkdir.*Permission denied/);
  });

  test(`a filter without no-new-privileges is loaded before the capabilities go, ${where}`, () => {
    const done = play(
      mode,
      list(mode, makeRoot(mode), {
        after: [op('capabilities', '1', '1', '1', '0', '0'), op('user', 0, 0), op('seccomp', denying(83), '')],
        argv: ['sh', '-c', 'cat /proc/self/status'],
      }),
    );
    assert.match(done.text, /NoNewPrivs:\s+0/);
    assert.match(done.text, /Seccomp:\s+2/);
    assert.match(done.text, /CapEff:\s+0000000000000001/);
  });

  test(`T12 another user and supplementary groups, ${where}`, () => {
    const done = play(
      mode,
      list(mode, makeRoot(mode), {
        after: [op('sync', 'ready'), op('capabilities', '0', '0', '0', '0', '0'), op('user', 33, 33, 100, 101)],
        argv: ['sh', '-c', 'id; cat /proc/self/status'],
      }),
    );
    if (mode.deny) {
      assert.equal(done.status, 125);
      assert.match(done.text, /berth: user .*supplementary groups need subordinate ids/);
      return;
    }
    assert.match(done.text, /uid=33 gid=33 groups=100,101/);
    assert.match(done.text, /CapEff:\s+0000000000000000/);
  });

  test(`T12 no group of the account is left, ${where}`, () => {
    const done = play(
      mode,
      list(mode, makeRoot(mode), {
        after: [op('user', 0, 0)],
        argv: ['sh', '-c', 'grep Groups /proc/self/status; echo end'],
      }),
    );
    assert.match(done.text, /Groups:\s*\nend/);
  });

  test(`the ambient set passes to the user, ${where}`, () => {
    const user = mode.deny ? 0 : 33;
    const done = play(
      mode,
      list(mode, makeRoot(mode), {
        after: [op('capabilities', '400', '400', '400', '400', '400'), op('user', user, user)],
        argv: ['cat', '/proc/self/status'],
      }),
    );
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      assert.match(done.text, new RegExp(`${set}:\\s+0000000000000400`), done.text);
  });

  for (const legacy of ['', 'legacy']) {
    test(`overlay${legacy === '' ? '' : ' by mount(2)'}, ${where}`, () => {
      const lower = makeRoot(mode);
      const top = directory(mode);
      mkdirSync(`${top}/etc`);
      writeFileSync(`${top}/etc/top,:layer`, 'top\n');
      own(mode, top);
      const [upper, work] = [directory(mode), directory(mode)];
      const flags = [...(mode.user ? ['userxattr'] : []), ...(legacy === '' ? [] : [legacy])].join(',');
      const ops = list(mode, lower, {
        argv: ['sh', '-c', 'ls /etc; echo new > /etc/hello; cat /etc/hello; cat /proc/mounts'],
      });
      const at = ops.findIndex(one => one.name === 'root-bind');
      ops[at] = op('root-overlay', upper, work, flags, '', top, lower);
      const done = play(mode, ops);
      assert.match(done.text, /hello\ntop,:layer\nnew\n/, done.text);
      assert.doesNotMatch(done.text, new RegExp(`overlay.*${lower}`), 'the mount table names no directory of the host');
      assert.equal(statSync(`${upper}/etc/hello`).size, 4);
    });
  }

  test(`an overlay without a writable layer is read-only, ${where}`, () => {
    const lower = makeRoot(mode);
    for (const layers of [[lower], [directory(mode), lower]]) {
      const ops = list(mode, lower, { argv: ['sh', '-c', 'echo new > /etc/hello; cat /etc/hello'] });
      ops[ops.findIndex(one => one.name === 'root-bind')] = op(
        'root-overlay',
        '',
        '',
        mode.user ? 'userxattr' : '',
        '',
        ...layers,
      );
      const done = play(mode, ops);
      assert.match(done.text, /Read-only file system/, done.text);
      assert.match(done.text, /hello from the image/);
    }
  });
}
