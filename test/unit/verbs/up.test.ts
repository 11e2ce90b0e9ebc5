import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import type { Plan, Step } from '../../../src/verbs/up-plan.ts';
import { changeFiles } from '../../../src/verbs/up-files.ts';
import { withFollowers } from '../../../src/verbs/up-follow.ts';
import { readRecord, writeRecord } from '../../../src/verbs/up-record.ts';
import { directoryOf } from '../../../src/verbs/up-source.ts';
import { servicesOf } from '../../../src/verbs/up-units.ts';
import { viewOf } from '../../../src/verbs/up-view.ts';

const BASE = '/etc/containers/systemd';

test('the view has files that are not written yet, and lacks those that will go', () => {
  const host = fakeHost({ files: { [`${BASE}/old.container`]: 'a', [`${BASE}/kept.container`]: 'b' } });
  const piece = { path: 'web.container', text: '[Container]\n', mode: 0o644 };
  const view = viewOf(
    host,
    new Map([
      [`${BASE}/shop/web.container`, piece],
      [`${BASE}/old.container`, undefined],
    ]),
  );
  assert.deepEqual(view.list(BASE), [
    { name: 'kept.container', kind: 'file' },
    { name: 'shop', kind: 'directory' },
  ]);
  assert.deepEqual(view.list(`${BASE}/shop`), [{ name: 'web.container', kind: 'file' }]);
  assert.equal(view.readFile(`${BASE}/shop/web.container`), '[Container]\n');
  assert.equal(view.readFileIfExists(`${BASE}/old.container`), undefined);
  assert.equal(view.stat(`${BASE}/shop`)?.kind, 'directory');
});

test('a service counts the files that it names', () => {
  const path = `${BASE}/shop/web.container`;
  const made = (page: string): ReturnType<typeof servicesOf> => {
    const piece = { path: 'web.container', text: '[Container]\nImage=localhost/a\nVolume=./page:/page\n', mode: 0o644 };
    const view = viewOf(fakeHost({ directories: [BASE], calls: { realpath: one => one } }), new Map([[path, piece]]));
    const others = [
      { path: `${BASE}/shop/page`, text: page },
      { path: `${BASE}/shop/other`, text: page },
    ];
    return servicesOf(view, false, new Set([path]), others);
  };
  const [one] = made('one').services;
  const [two] = made('two').services;
  assert.equal(one?.unit, 'web.service');
  assert.equal(one.hash, two?.hash);
  assert.notEqual(one.full, two?.full);
});

test('what requires a restarted unit is restarted with it, and nothing else is', () => {
  const step = (unit: string, action: Step['action'], follows: string[]): Step => {
    return { unit, action, file: '', reason: '', hash: '', follows, starts: true };
  };
  const steps = [
    step('c.service', 'nothing', ['b.service']),
    step('b.service', 'nothing', ['a.service']),
    step('a.service', 'restart', []),
    step('d.service', 'nothing', ['e.service']),
  ];
  const [plan] = withFollowers([{ steps } as unknown as Plan]);
  assert.deepEqual(
    plan?.steps.map(one => one.action),
    ['restart', 'restart', 'restart', 'nothing'],
  );
});

test('what runs while the files change is noted with what it was started from', () => {
  const host = fakeHost({ directories: [BASE] });
  const path = `${BASE}/.shop.up`;
  const step = (unit: string, runs?: Step['runs']): Step => {
    return { unit, action: 'restart', file: '', reason: '', hash: 'new', follows: [], starts: true, runs };
  };
  const runs = { hash: 'old', invocation: '1' };
  const record = { version: 1, source: '/shop', files: {}, started: { 'b.service': { hash: 'b', invocation: '2' } } };
  const steps = [step('a.service', runs), step('b.service')];
  const application = { name: 'shop', source: '/shop', directory: `${BASE}/shop`, pieces: [] };
  changeFiles(host, BASE, [{ application, record, changes: new Map(), steps } as unknown as Plan]);
  assert.deepEqual(readRecord(host, path)?.started, { ...record.started, 'a.service': runs });
});

test('a record that leads out of its directory is refused', () => {
  const host = fakeHost({ directories: [BASE] });
  const path = `${BASE}/.shop.up`;
  writeRecord(host, path, { version: 1, source: '/shop', files: { '../passwd': 'x' }, started: {} });
  assert.throws(() => readRecord(host, path), /leads out of/);
  writeRecord(host, path, { version: 1, source: '/shop', files: { 'web.container': 'x' }, started: {} });
  assert.equal(readRecord(host, path)?.source, '/shop');
});

test('unit files are installed below the canonical path of their directory, also before it is made', () => {
  const links: Readonly<Record<string, string>> = { '/home/a/.config': '/home/a/dot/config', [BASE]: '/srv/units' };
  const there = ['/home', '/home/a'];
  const host = fakeHost({
    environment: { HOME: '/home/a' },
    calls: {
      realpath: path => links[path] ?? (there.includes(path) ? path : undefined),
    },
  });
  assert.equal(directoryOf({ host, scope: { kind: 'system' } }), '/srv/units');
  assert.equal(directoryOf({ host, scope: { kind: 'user', uid: 1 } }), '/home/a/dot/config/containers/systemd');
});
