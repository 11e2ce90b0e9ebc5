/** Hostile roots and configurations; each test carries the id of its row in the list of threats. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { op } from '../../../src/ops/encode.ts';
import type { Op } from '../../../src/ops/ops.ts';
import { ACCOUNT_MODE, directory, list, makeRoot, own, play, ROOT, type Outcome } from './stage.ts';

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

  test(`T3 a link that a payload left in the path of a source leads nowhere, ${where}`, () => {
    const [root, app, outside] = [makeRoot(mode), directory(mode), directory(mode)];
    mkdirSync(`${outside}/log`);
    writeFileSync(`${outside}/log/kept`, 'of the host');
    mkdirSync(`${app}/old/log`, { recursive: true });
    symlinkSync(outside, `${app}/var`);
    symlinkSync('old', `${app}/now`);
    own(mode, app);
    own(mode, outside);
    const before = statSync(`${outside}/log`).uid;
    const made = (...inside: Op[]): Outcome =>
      play(mode, list(mode, root, { inside, argv: ['sh', '-c', 'ls -a /tmp/l'] }));
    assert.match(
      made(op('chown-below', app, 'var/log', 7, 7)).fail,
      /^chown-below 18 .*it is \/.*a link does not lead out/,
    );
    const seen = made(op('bind-below', app, 'var/log', '', '/tmp/l', 'point', ''));
    assert.match(seen.fail, /^bind-below 18 var\/log: .*it is \/.*a link does not lead out/, seen.text);
    assert.equal(statSync(`${outside}/log`).uid, before);
    const inside = made(
      op('chown-below', app, 'now/log', 7, 7),
      op('bind-below', app, 'now/log', '', '/tmp/l', 'point', ''),
    );
    assert.equal(inside.status, 0, inside.text);
    assert.notEqual(statSync(`${app}/old/log`).uid, before);
    // a link that comes back, as tools that roll a release out make it: also where its path is there below the source, too
    mkdirSync(`${app}/releases/3/sub`, { recursive: true });
    mkdirSync(`${app}${app}/releases/3`, { recursive: true });
    symlinkSync(`${app}/releases/3`, `${app}/current`);
    symlinkSync(outside, `${app}/releases/3/out`);
    own(mode, `${app}/releases`);
    const current = made(
      op('chown-below', app, 'current', 7, 7),
      op('bind-below', app, 'current', '', '/tmp/l', 'point', ''),
    );
    assert.equal(current.status, 0, current.text);
    assert.match(current.text, /\nsub\n/);
    for (const path of ['releases/3', 'releases/3/sub']) assert.notEqual(statSync(`${app}/${path}`).uid, before);
    // a part of what is found so: links of it stay in it
    assert.equal(made(op('bind-below', app, 'current', 'sub', '/tmp/l', 'point', '')).status, 0);
    assert.match(made(op('bind-below', app, 'current', 'out/log', '/tmp/l', 'point', '')).fail, /no such subpath/);
    assert.match(made(op('bind-below', app, 'var', 'log', '/tmp/l', 'point', '')).fail, /^bind-below 18 var: /);
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
