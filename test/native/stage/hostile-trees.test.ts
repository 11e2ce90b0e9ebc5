/** Hostile roots and configurations; each test carries the id of its row in the list of threats. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { op } from '../../../src/ops/encode.ts';
import { ACCOUNT_MODE, directory, list, makeRoot, own, play, ROOT } from './stage.ts';

const MODES = [ROOT, ACCOUNT_MODE];

for (const mode of MODES) {
  const where = `as ${mode.name}`;

  test(`T16 copy-up reads below the root only, ${where}`, () => {
    const root = makeRoot(mode);
    const [outside, volume] = [directory(mode), directory(mode)];
    writeFileSync(`${outside}/secret`, 'secret of the host');
    symlinkSync(outside, `${root}/data`);
    const done = play(
      mode,
      list(mode, root, {
        inside: [op('copy-up', volume, '/data', 0, 0, ''), op('bind', volume, '/tmp', '', '')],
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
