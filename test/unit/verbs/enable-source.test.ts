import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { HostError, type Host } from '../../../src/host/host.ts';
import { Failure } from '../../../src/run/failure.ts';
import { disableSource, enableSource } from '../../../src/verbs/enable-source.ts';
import type { Realm } from '../../../src/verbs/scope.ts';

const AT = '/etc/containers/systemd';
const WANTED = '[Install]\nWantedBy=multi-user.target\n';
const DISABLING = '[Install]\nWantedBy=\nRequiredBy=\nUpheldBy=\n';

interface Done {
  readonly said: string;
  readonly changes: number;
  /** Drop-ins that there are now. */
  readonly dropIns: readonly string[];
}

function act(
  what: typeof enableSource,
  unit: string,
  files: Readonly<Record<string, string>>,
  calls: Partial<Host> = {},
): Done {
  const placed = Object.entries(files).map(([name, text]) => [
    `${AT}/${name}`,
    name.endsWith('.conf') ? text : `[Container]\nImage=localhost/a\n${text}`,
  ]);
  const host: FakeHost = fakeHost({ files: Object.fromEntries(placed) as Record<string, string>, calls });
  const realm: Realm = { scope: { kind: 'system' }, host };
  let changes = 0;
  let said;
  try {
    said = what(realm, unit, () => changes++) ?? 'none of ours';
  } catch (error) {
    assert.ok(error instanceof Failure || error instanceof HostError, String(error));
    said = `refused: ${error.message}`;
  }
  const dropIns = Object.keys(host.files.contents()).filter(path => path.endsWith('.conf'));
  return { said, changes, dropIns: dropIns.map(path => path.slice(AT.length + 1)) };
}

test('an instance is as its template only where the template starts that one', () => {
  const files = { 'web@.container': `${WANTED}DefaultInstance=zero\n`, 'web@.container.d/50-berth-disable.conf': '' };
  const same = { changes: 0, dropIns: ['web@.container.d/50-berth-disable.conf'] };
  const link = `make a link web@one.container to ${AT}/web@.container: an instance is enabled by its name`;
  assert.deepEqual(act(enableSource, 'web@one.service', files), {
    said: `refused: web@one.service: ${link}`,
    ...same,
  });
  const already = `already enabled by [Install] of ${AT}/web@.container`;
  assert.deepEqual(act(enableSource, 'web@zero.service', files), { said: already, ...same });
  assert.deepEqual(act(enableSource, 'web@.service', files), { said: already, ...same });
  assert.deepEqual(act(disableSource, 'web@one.service', files), {
    said: 'already disabled: nothing in its [Install] starts it',
    ...same,
  });
  assert.deepEqual(act(disableSource, 'web@zero.service', files), {
    said: `refused: web@zero.service: DefaultInstance= of ${AT}/web@.container starts it: disable web@.service`,
    ...same,
  });
  const off = act(disableSource, 'web@.service', { 'web@.container': `${WANTED}DefaultInstance=zero\n` });
  assert.match(off.said, /^disabled: wrote .*\/web@\.container\.d\/50-berth-disable\.conf, which empties/);
  const own = { 'web@.container': '', 'web@one.container': '' };
  assert.deepEqual(act(enableSource, 'web@one.service', own).dropIns, ['web@one.container.d/50-berth-enable.conf']);
});

test('a template without DefaultInstance= is not said to start', () => {
  const { said, changes, dropIns } = act(enableSource, 'web@.service', { 'web@.container': WANTED });
  assert.match(said, /^refused: web@\.service: a template is started as an instance: write DefaultInstance= into/);
  assert.ok(said.endsWith(`[Install] of ${AT}/web@.container, or make a link web@NAME.container to it`), said);
  assert.deepEqual([changes, dropIns], [0, []]);
  const withDefault = act(enableSource, 'web@.service', { 'web@.container': '[Install]\nDefaultInstance=zero\n' });
  assert.match(withDefault.said, /^enabled: wrote .*, starts with multi-user\.target$/);
  assert.deepEqual(withDefault.dropIns, ['web@.container.d/50-berth-enable.conf']);
});

test('nothing is removed before a refusal, and what was removed is told when a later step fails', () => {
  const disabled = { 'web@.container': '', 'web@.container.d/50-berth-disable.conf': DISABLING };
  for (const unit of ['web@one.service', 'web@.service']) {
    const { said, changes, dropIns } = act(enableSource, unit, disabled);
    assert.match(said, /^refused: /);
    assert.deepEqual([changes, dropIns], [0, ['web@.container.d/50-berth-disable.conf']]);
  }
  const calls = {
    writeFileAtomic: (path: string): never => {
      throw new HostError('open', 'EROFS', 30, 'Read-only file system', path);
    },
  };
  const on = act(enableSource, 'e.service', { 'e.container': '', 'e.container.d/50-berth-disable.conf': '' }, calls);
  assert.match(on.said, /Read-only/);
  assert.deepEqual([on.changes, on.dropIns], [1, []]);
  const both = { 'e.container': WANTED, 'e.container.d/50-berth-enable.conf': WANTED };
  const off = act(disableSource, 'e.service', both, calls);
  assert.match(off.said, /Read-only/);
  assert.deepEqual([off.changes, off.dropIns], [1, []]);
});

test('enabled and disabled are said of what the files say afterwards', () => {
  const emptied = { 'e.container': '', 'e.container.d/60-none.conf': '[Install]\nWantedBy=\n' };
  const on = act(enableSource, 'e.service', emptied);
  assert.match(on.said, /^refused: e\.service: another drop-in of .* empties its \[Install\]: take that out$/);
  assert.deepEqual(on.dropIns, ['e.container.d/60-none.conf']);
  const started = { 'e.container': '', 'e.container.d/60-on.conf': WANTED };
  const off = act(disableSource, 'e.service', started);
  assert.match(off.said, /^refused: e\.service: another drop-in of .* starts it: take that out$/);
  assert.deepEqual(off.dropIns, ['e.container.d/60-on.conf']);
  const again = { 'e.container': WANTED, 'e.container.d/50-berth-disable.conf': DISABLING };
  const back = act(enableSource, 'e.service', again);
  assert.deepEqual([back.said.split(' ', 2).join(' '), back.changes, back.dropIns], ['enabled: removed', 1, []]);
  assert.equal(act(enableSource, 'x.service', again).said, 'none of ours');
});
