/** Hostile roots and configurations; each test carries the id of its row in the list of threats. */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { op } from '../../../src/ops/encode.ts';
import { ACCOUNT_MODE, directory, list, makeRoot, own, play, ROOT } from './stage.ts';

const MODES = [ROOT, ACCOUNT_MODE];

for (const mode of MODES) {
  const where = `as ${mode.name}`;

  test(`T6 sysctls go to a procfs of ours, not to the container's /proc, ${where}`, () => {
    const root = makeRoot(mode);
    const fake = directory(mode);
    mkdirSync(`${fake}/sys/net/ipv4`, { recursive: true });
    writeFileSync(`${fake}/sys/net/ipv4/ip_forward`, '');
    own(mode, fake);
    const done = play(
      mode,
      list(mode, root, {
        inside: [op('bind', fake, '/proc', '', ''), op('sysctl', 'net.ipv4.ip_forward', '1')],
        after: [],
        argv: ['sh', '-c', 'umount /proc; cat /proc/sys/net/ipv4/ip_forward'],
      }),
    );
    assert.equal(readFileSync(`${fake}/sys/net/ipv4/ip_forward`, 'utf8'), '');
    assert.match(done.text, /\n1\n/, done.text);
  });

  test(`T6 what is mounted over a sysctl is never written, ${where}`, () => {
    const root = makeRoot(mode);
    const victim = `${directory(mode)}/victim`;
    writeFileSync(victim, 'unchanged');
    own(mode, victim);
    const done = play(
      mode,
      list(mode, root, {
        inside: [op('bind', victim, '/proc/sys/net/ipv4/ip_forward', '', ''), op('sysctl', 'net.ipv4.ip_forward', '1')],
        argv: ['true'],
      }),
    );
    assert.match(done.fail, /^sysctl 18 net\.ipv4\.ip_forward: /, done.text);
    assert.equal(readFileSync(victim, 'utf8'), 'unchanged');
  });

  for (const key of [
    '..',
    'net..ipv4',
    '../../etc/hello',
    'net.ipv4.ip_forward.',
    '/net',
    '',
    'net/../../self/oom_score_adj',
  ]) {
    test(`T6 the sysctl '${key}' is refused, ${where}`, () => {
      const done = play(mode, list(mode, makeRoot(mode), { inside: [op('sysctl', key, '1')], argv: ['true'] }));
      assert.match(done.fail, /^sysctl (22|2|20) /, done.text);
    });
  }

  for (const name of ['dev', 'proc', 'sys']) {
    test(`T7 an image whose /${name} is a link, ${where}`, () => {
      const root = makeRoot(mode);
      rmdirSync(`${root}/${name}`);
      const outside = directory(mode);
      symlinkSync(outside, `${root}/${name}`);
      const done = play(mode, list(mode, root, { argv: ['true'] }));
      assert.match(
        done.fail,
        new RegExp(`^check-root 20 /${name}: not a directory \\(the image has something else there`),
        done.text,
      );
      assert.equal(done.status, 125);
    });
  }

  test(`T8 a device where the image has a file already is an error, and the file stays, ${where}`, () => {
    const root = makeRoot(mode);
    symlinkSync('/etc/hello', `${root}/dev/null`);
    const ops = list(mode, root, { argv: ['true'] }).filter(one => !['/dev', '/dev/pts'].includes(one.fields[2] ?? ''));
    const done = play(mode, ops);
    assert.match(done.fail, /^device 17 \/dev\/null: file exists/, done.text);
    assert.ok(lstatSync(`${root}/dev/null`).isSymbolicLink());
  });

  test(`T9 a label that cannot be applied ends the start, ${where}`, () => {
    const done = play(
      mode,
      list(mode, makeRoot(mode), {
        after: [op('label', 'apparmor', 'no-such-profile-of-berth')],
        argv: ['echo', 'unconfined'],
      }),
    );
    assert.match(done.fail, /^label /, done.text);
    assert.doesNotMatch(done.text, /unconfined\n/);
  });

  for (const ids of [
    ['4294967295', '0'],
    ['0', '4294967296'],
    ['-1', '0'],
    ['99999999', '0'],
  ]) {
    test(`T13 the ids ${ids.join(':')} are refused, ${where}`, () => {
      const done = play(mode, list(mode, makeRoot(mode), { after: [op('user', ids[0]!, ids[1]!)], argv: ['id'] }));
      if (ids[0] === '99999999' && !mode.user) assert.match(done.text, /uid=99999999/);
      else assert.match(done.fail, /^user 22 (?:-?\d+: .*(?:between 0 and 4294967294|not mapped))/, done.text);
    });
  }
}
