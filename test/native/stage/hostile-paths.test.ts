/** Hostile roots and configurations; each test carries the id of its row in the list of threats. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { op } from '../../../src/ops/encode.ts';
import { ACCOUNT_MODE, directory, list, makeRoot, play, ROOT } from './stage.ts';

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

  test(`a working directory with mode 0 has to be there, ${where}`, () => {
    const root = makeRoot(mode);
    const cwd = (path: string) =>
      play(mode, list(mode, root, { after: [op('cwd', path, '0', 0, 0)], argv: ['sh', '-c', 'pwd'] }));
    const missing = cwd('/app/src');
    assert.match(missing.fail, /^cwd 2 \/app\/src: .*must be in the image/, missing.text);
    assert.ok(!existsSync(`${root}/app`), 'nothing was made');
    assert.match(cwd('/tmp').text, /\n\/tmp\n/);
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
}
