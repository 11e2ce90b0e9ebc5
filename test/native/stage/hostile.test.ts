/** Hostile roots and configurations; each test carries the id of its row in the list of threats. */
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { op } from '../../../src/ops/encode.ts';
import { ACCOUNT_MODE, directory, list, makeRoot, own, play, ROOT } from './stage.ts';

const MODES = [ROOT, ACCOUNT_MODE];

for (const mode of MODES) {
  const where = `as ${mode.name}`;

  test(`T2 no descriptor is left open for the payload, ${where}`, () => {
    const done = play(mode, list(mode, makeRoot(mode), { argv: ['ls', '/proc/self/fd'] }), {
      arguments: ['--fd', '/etc', '--fd', '/etc/passwd'],
    });
    // 3 is the directory that ls reads.
    assert.match(done.text, /\n0\n1\n2\n3\n(?!4)/, done.text);
  });

  for (const path of ['/proc/self/fd/70', '/proc/self/cwd', '/proc/1/root/etc', '/way-out']) {
    test(`T2 the working directory ${path} does not lead out, ${where}`, () => {
      const root = makeRoot(mode);
      symlinkSync('/proc/self/fd/70', `${root}/way-out`);
      const done = play(mode, list(mode, root, { after: [op('cwd', path, '755', 0, 0)], argv: ['sh', '-c', 'pwd'] }), {
        arguments: ['--fd', '/etc'],
      });
      assert.match(done.fail, /^cwd 40 .*the links of \/proc lead out of the root/, done.text);
      assert.equal(done.status, 125);
    });
  }

  test(`T2 T15 a WORKDIR through links stays inside, ${where}`, () => {
    const root = makeRoot(mode);
    const outside = directory(mode);
    symlinkSync(outside, `${root}/app`);
    symlinkSync('../../../../../../../../../../..', `${root}/up`);
    for (const [path, shown] of [
      ['/app/src', `${outside}/src`],
      ['/up/app2/x', '/app2/x'],
    ]) {
      const done = play(
        mode,
        list(mode, root, { after: [op('cwd', path!, '755', 0, 0)], argv: ['sh', '-c', 'busybox pwd'] }),
      );
      assert.ok(done.text.includes(`\n${shown!}\n`), done.text);
      assert.ok(!existsSync(`${outside}/src`), 'nothing was made on the host');
      assert.ok(existsSync(root + shown!), 'it was made below the root');
    }
  });

  test(`T3 T15 mount targets through links stay inside, ${where}`, () => {
    const root = makeRoot(mode);
    const [outside, source] = [directory(mode), directory(mode)];
    writeFileSync(`${source}/inner`, 'inner\n');
    symlinkSync(`${outside}/deep`, `${root}/data`);
    symlinkSync('../../../../../../../etc/../../..', `${root}/climb`);
    const done = play(
      mode,
      list(mode, root, {
        inside: [
          op('bind', source, '/data/volume', 'point,rprivate', ''),
          op('bind', `${source}/inner`, '/climb/file', 'point', ''),
        ],
        argv: ['sh', '-c', 'cat /data/volume/inner /file'],
      }),
    );
    assert.match(done.text, /inner\ninner\n/, done.text);
    assert.ok(!existsSync(`${outside}/deep`));
    assert.ok(existsSync(`${root}${outside}/deep/volume`), 'made below the root');
  });

  test(`T3 a loop of links ends with one line, ${where}`, () => {
    const root = makeRoot(mode);
    symlinkSync('b', `${root}/a`);
    symlinkSync('a', `${root}/b`);
    const done = play(mode, list(mode, root, { inside: [op('bind', '/etc', '/a/c', 'point', '')], argv: ['true'] }));
    assert.match(done.fail, /^bind 40 \/a\/c: too many levels of symbolic links/);
  });

  test(`T3 a dangling link is created where it points to, inside, ${where}`, () => {
    const root = makeRoot(mode);
    const source = `${directory(mode)}/resolv.conf`;
    writeFileSync(source, 'nameserver\n');
    symlinkSync('../run/systemd/resolve/stub.conf', `${root}/etc/resolv.conf`);
    const done = play(
      mode,
      list(mode, root, {
        inside: [op('bind', source, '/etc/resolv.conf', 'point', '')],
        argv: ['cat', '/run/systemd/resolve/stub.conf'],
      }),
    );
    assert.match(done.text, /\nnameserver\n/, done.text);
  });

  test(`T4 masks do not rest on the container's /dev/null, ${where}`, () => {
    const root = makeRoot(mode);
    writeFileSync(`${root}/etc/fake-null`, 'secret of the attacker\n');
    const ops = list(mode, root, {
      after: [op('mask', '/proc/keys'), op('mask', '/proc/sys')],
      argv: ['sh', '-c', 'echo start$(cat /proc/keys)end; ls /proc/sys; echo listed; stat -c %t:%T /proc/keys'],
    });
    // The image's own /dev with a link in the place of null.
    const kept = ops.filter(one => !['device'].includes(one.name) && one.fields[2] !== '/dev');
    kept.splice(
      kept.findIndex(one => one.name === 'pivot'),
      0,
      op('mount', 'tmpfs', 'tmpfs', '/dev', 'point', ''),
      op('symlink', '/etc/fake-null', '/dev/null'),
    );
    const done = play(
      mode,
      kept.filter(one => one.fields[2] !== '/dev/pts'),
    );
    assert.match(done.text, /startend\nlisted\n1:3\n/, done.text);
  });

  test(`T4 a masked path through a link hides what it leads to, ${where}`, () => {
    const root = makeRoot(mode);
    symlinkSync('/etc/hello', `${root}/alias`);
    const done = play(
      mode,
      list(mode, root, { after: [op('mask', '/alias')], argv: ['sh', '-c', 'echo start$(cat /etc/hello)end'] }),
    );
    assert.match(done.text, /startend/, done.text);
  });

  test(`T5 the terminal is made through descriptors, ${where}`, () => {
    const root = makeRoot(mode);
    const victim = `${directory(mode)}/victim`;
    writeFileSync(victim, 'unchanged');
    const ops = list(mode, root, {
      inside: [op('symlink', victim, '/dev/console'), op('session'), op('console', 0, -1)],
      argv: ['tty'],
    });
    const done = play(mode, ops, { arguments: ['--terminal'] });
    assert.match(done.fail, /^console 40 /, done.text);
    assert.equal(readFileSync(victim, 'utf8'), 'unchanged');
    assert.equal(statSync(victim).size, 9);
  });

  test(`T5 a file in the place of devpts is no terminal, ${where}`, () => {
    const root = makeRoot(mode);
    const ops = list(mode, root, {
      inside: [
        op('umask', '0'),
        op('mkdir', '/dev/pts', '755', 0, 0),
        op('symlink', '../null', '/dev/pts/ptmx'),
        op('session'),
        op('console', 0, -1),
      ],
      argv: ['tty'],
    }).filter(one => one.fields[2] !== '/dev/pts');
    assert.match(play(mode, ops).fail, /^console 19 .*no terminal multiplexer/);
  });

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

  test(`T16 copy-up reads below the root only, ${where}`, () => {
    const root = makeRoot(mode);
    const [outside, volume] = [directory(mode), directory(mode)];
    writeFileSync(`${outside}/secret`, 'secret of the host');
    symlinkSync(outside, `${root}/data`);
    const done = play(
      mode,
      list(mode, root, {
        inside: [op('copy-up', volume, '/data'), op('bind', volume, '/tmp', '', '')],
        argv: ['ls', '-a', '/tmp'],
      }),
    );
    assert.doesNotMatch(done.text, /secret/);
    assert.ok(!existsSync(`${volume}/secret`));
    assert.equal(done.status, 0, done.text);
  });

  test(`T16 tmpfs copy-up through a link out of the root, ${where}`, () => {
    const root = makeRoot(mode);
    const outside = directory(mode);
    writeFileSync(`${outside}/secret`, 'secret of the host');
    symlinkSync(outside, `${root}/data`);
    const done = play(
      mode,
      list(mode, root, {
        inside: [op('tmpfs-copyup', '/data', 'mode=755', 'point')],
        argv: ['sh', '-c', 'ls -a /data/'],
      }),
    );
    assert.doesNotMatch(done.text, /secret/);
    assert.equal(done.status, 0, done.text);
  });

  test(`T20 remove-tree follows no link, ${where}`, () => {
    const tree = directory(mode);
    const outside = directory(mode);
    writeFileSync(`${outside}/kept`, '');
    mkdirSync(`${tree}/gone/deep/er`, { recursive: true });
    mkdirSync(`${tree}/gone/closed`, { mode: 0o000 });
    writeFileSync(`${tree}/gone/deep/file`, '');
    symlinkSync(outside, `${tree}/gone/link`);
    symlinkSync('..', `${tree}/gone/deep/up`);
    own(mode, tree);
    const become = mode.user ? [op('become-root')] : [];
    const done = play(mode, [...become, op('remove-tree', `${tree}/gone`)], { namespaces: 0 });
    assert.equal(done.status, 0, done.text);
    assert.ok(!existsSync(`${tree}/gone`) && existsSync(`${outside}/kept`));
    assert.equal(
      play(mode, [...become, op('remove-tree', `${tree}/gone`)], { namespaces: 0 }).status,
      0,
      'absent: nothing to do',
    );
    symlinkSync(outside, `${tree}/gone`);
    play(mode, [...become, op('remove-tree', `${tree}/gone`)], { namespaces: 0 });
    assert.ok(!existsSync(`${tree}/gone`) && existsSync(`${outside}/kept`), 'of a link only the link goes');
    rmSync(tree, { recursive: true, force: true });
  });

  test(`a launcher that dies at a sync leaves no process, ${where}`, () => {
    for (const name of ['created', 'ready']) {
      const done = play(mode, list(mode, makeRoot(mode), { after: [op('sync', 'ready')], argv: ['echo', 'ran'] }), {
        arguments: ['--stop-at', name],
      });
      assert.equal(done.status, 125);
      assert.doesNotMatch(done.text, /\nran\n/);
    }
  });
}
