import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import type { ImageRecord } from '../../../src/image/types.ts';
import { newDraft } from '../../../src/plan/draft.ts';
import type { MountRequest, RunRequest } from '../../../src/plan/request.ts';
import type { VolumesOf } from '../../../src/run/parts.ts';
import { makeUndo } from '../../../src/run/undo.ts';
import { readVolume } from '../../../src/volume/record.ts';
import { backingOf, readOptions } from '../../../src/volume/options.ts';
import { chooseVolumes, createVolumes, makeVolume, markFilled, removeVolumes } from '../../../src/volume/volumes.ts';

const READER = { readFile: () => undefined, environment: () => undefined, environmentList: () => [], cwd: () => '/' };
const OPTIONS = { readOnly: false, chown: false, copy: true, overlay: false, recursive: true, flags: [] };

function request(mounts: MountRequest[]): RunRequest {
  return { ...(newDraft(READER, 'web').request as RunRequest), mounts };
}

function volume(source: string, target: string): MountRequest {
  return { kind: 'volume', source, target, options: OPTIONS };
}

function image(volumes: string[]): ImageRecord {
  return { config: { volumes } } as unknown as ImageRecord;
}

const own = (...anonymous: string[]): VolumesOf => ({ anonymous, named: [], bundle: '' });

test('a named volume is made once, fresh until a start has filled it', () => {
  const host = fakeHost({ directories: ['/store'] });
  const choice = chooseVolumes(host, '/store', request([volume('data', '/data')]));
  assert.deepEqual(choice.volumes, {
    'volume:data': { path: '/store/volumes/data/_data', fresh: true, unowned: true, record: '/store/volumes/data' },
  });
  assert.deepEqual(choice.missing, ['data']);
  createVolumes(host, '/store', choice, makeUndo());
  assert.deepEqual(chooseVolumes(host, '/store', request([volume('data', '/data')])).missing, []);
  assert.equal(chooseVolumes(host, '/store', request([volume('data', '/data')])).volumes['volume:data']?.fresh, true);
  host.writeFile('/store/volumes/data/_data/file', '', 0o600);
  markFilled(host, '/store', choice);
  assert.equal(chooseVolumes(host, '/store', request([volume('data', '/data')])).volumes['volume:data']?.fresh, false);
});

test("a volume that the first image has nothing for is left to the next one, and stays its first owner's", () => {
  const host = fakeHost({ directories: ['/store'] });
  const choose = (): ReturnType<typeof chooseVolumes> =>
    chooseVolumes(host, '/store', request([volume('data', '/data')]));
  createVolumes(host, '/store', choose(), makeUndo());
  markFilled(host, '/store', choose());
  const record = '/store/volumes/data';
  const path = `${record}/_data`;
  assert.deepEqual(choose().volumes['volume:data'], { path, fresh: true, unowned: false, record });
  host.writeFile(`${path}/file`, 'of a payload', 0o600);
  assert.deepEqual(choose().volumes['volume:data'], { path, fresh: false, unowned: false, record });
  assert.equal(readVolume(host, '/store', 'data')?.filled, false);
  markFilled(host, '/store', choose());
  assert.equal(readVolume(host, '/store', 'data')?.filled, true);
});

test('an image volume is anonymous unless a mount covers it', () => {
  const host = fakeHost({ directories: ['/store'] });
  const choice = chooseVolumes(host, '/store', request([volume('data', '/data/')]), image(['/data', '/cache']));
  assert.deepEqual(Object.keys(choice.volumes), ['volume:data', 'anonymous:/cache']);
  assert.equal(choice.anonymous.length, 1);
});

test('a failed start takes back the volumes that it made', () => {
  const host = fakeHost({ directories: ['/store'] });
  const undo = makeUndo();
  createVolumes(host, '/store', chooseVolumes(host, '/store', request([volume('data', '/data')])), undo);
  assert.deepEqual(undo.run(), []);
  assert.equal(readVolume(host, '/store', 'data'), undefined);
});

test('a volume of which a copy was cut short, or is being made, is fresh and not marked', () => {
  const host = fakeHost({ directories: ['/store'] });
  const choose = (): ReturnType<typeof chooseVolumes> =>
    chooseVolumes(host, '/store', request([volume('data', '/data')]));
  createVolumes(host, '/store', choose(), makeUndo());
  const data = '/store/volumes/data/_data';
  for (const part of ['.berth-filling', '.berth-filled']) {
    host.mkdirs(`${data}/${part}`, 0o700);
    if (part === '.berth-filled') host.writeFile(`${data}/some`, '', 0o600);
    assert.equal(choose().volumes['volume:data']?.fresh, true, part);
    markFilled(host, '/store', choose());
    assert.equal(readVolume(host, '/store', 'data')?.filled, false, part);
    host.removeTree(`${data}/${part}`);
  }
  markFilled(host, '/store', choose());
  assert.equal(readVolume(host, '/store', 'data')?.filled, true);
  assert.equal(choose().volumes['volume:data']?.record, undefined);
});

test('a failed start leaves a volume to the one that came after it', () => {
  const host = fakeHost({ directories: ['/store'] });
  const undo = makeUndo();
  const choice = chooseVolumes(host, '/store', request([volume('data', '/data')]));
  createVolumes(host, '/store', choice, undo);
  const [other] = createVolumes(host, '/store', choice, makeUndo());
  assert.deepEqual(undo.run(), []);
  assert.notEqual(readVolume(host, '/store', 'data'), undefined);
  other?.release();
});

test('a directory of the host is settled only where it is to be filled', () => {
  const host = fakeHost({ directories: ['/store', '/device'] });
  const options = { device: '/device', type: 'bind' };
  makeVolume(host, '/store', {
    version: 1,
    name: 'dev',
    anonymous: false,
    created: 1,
    filled: false,
    labels: {},
    options,
  });
  const record = (): unknown => {
    const choice = chooseVolumes(host, '/store', request([volume('dev', '/dev')]));
    return choice.volumes['volume:dev']?.record;
  };
  assert.equal(record(), '/store/volumes/dev');
  host.mkdirs('/device/.berth-filling', 0o700);
  assert.equal(record(), '/store/volumes/dev');
  host.writeFile('/device/file', 'of the user', 0o600);
  assert.equal(record(), undefined);
});

test('a start with a volume that was removed since it was chosen does not make an empty one of its name', () => {
  const host = fakeHost({ directories: ['/store'] });
  const first = chooseVolumes(host, '/store', request([volume('', '/x')]));
  createVolumes(host, '/store', first, makeUndo());
  const [name = ''] = first.anonymous;
  const choose = (): ReturnType<typeof chooseVolumes> => chooseVolumes(host, '/store', request([volume(name, '/x')]));
  const before = choose();
  host.writeFile(`/store/volumes/${name}/_data/file`, '', 0o600);
  markFilled(host, '/store', first);
  const after = choose();
  removeVolumes(host, '/store', own(name), [], []);
  assert.throws(() => createVolumes(host, '/store', after, makeUndo()), /was removed meanwhile/);
  assert.equal(readVolume(host, '/store', name), undefined);
  // Nothing was in it when it was chosen.
  createVolumes(host, '/store', before, makeUndo());
  assert.notEqual(readVolume(host, '/store', name), undefined);
});

test('a failed start leaves the data of one that came after it and has ended', () => {
  const host = fakeHost({ directories: ['/store'] });
  const choice = chooseVolumes(host, '/store', request([volume('data', '/data'), volume('bare', '/bare')]));
  const undo = makeUndo();
  createVolumes(host, '/store', choice, undo);
  const [, ...later] = createVolumes(host, '/store', choice, makeUndo());
  host.writeFile('/store/volumes/data/_data/file', 'of the other', 0o600);
  markFilled(host, '/store', choice);
  for (const lock of later) lock.release();
  assert.deepEqual(undo.run(), []);
  assert.equal(readVolume(host, '/store', 'data')?.filled, true);
  assert.equal(readVolume(host, '/store', 'bare')?.owned, true);
});

test('only anonymous volumes are removed with a container (T20)', () => {
  const host = fakeHost({ directories: ['/store'] });
  const choice = chooseVolumes(host, '/store', request([volume('data', '/data'), volume('', '/x')]));
  createVolumes(host, '/store', choice, makeUndo());
  const [anonymous = ''] = choice.anonymous;
  assert.deepEqual(removeVolumes(host, '/store', own(anonymous, 'data', '../data', 'absent'), [], []), []);
  assert.equal(readVolume(host, '/store', anonymous), undefined);
  assert.notEqual(readVolume(host, '/store', 'data'), undefined);
});

test("what was another's anonymous volume goes with the last that has it by its name", () => {
  const state = JSON.stringify({ version: 1, volumes: [], anonymousVolumes: [] });
  const heir = '/run/berth/containers/heir';
  const host = fakeHost({ directories: ['/store/containers/of'], files: { [`${heir}/state.json`]: state } });
  const choice = chooseVolumes(host, '/store', request([volume('', '/x')]));
  createVolumes(host, '/store', choice, makeUndo());
  const [name = ''] = choice.anonymous;
  for (const lock of createVolumes(
    host,
    '/store',
    chooseVolumes(host, '/store', request([volume(name, '/x'), volume('data', '/d')])),
    makeUndo(),
  ))
    lock.release();
  const note = '/store/containers/of/container.json';
  host.writeFile(note, JSON.stringify({ version: 1, uidMap: [], gidMap: [], anonymousVolumes: [name] }), 0o600);
  const remove = (bundle = ''): string[] =>
    removeVolumes(host, '/store', { anonymous: [], named: [name, 'data', 'absent'], bundle }, [], []);
  const isThere = (): boolean => readVolume(host, '/store', name) !== undefined;
  // Its first container may just be started again.
  assert.deepEqual(remove(), []);
  assert.ok(isThere());
  host.unlink(note);
  host.writeFile(`${heir}/state.json`, JSON.stringify({ version: 1, volumes: [name], anonymousVolumes: [] }), 0o600);
  assert.deepEqual(remove(), []);
  assert.ok(isThere());
  assert.deepEqual(remove(heir), []);
  assert.ok(!isThere());
  assert.notEqual(readVolume(host, '/store', 'data'), undefined);
});

test('an anonymous volume whose record was lost in a crash goes with its container', () => {
  const host = fakeHost({ directories: ['/store'] });
  const choice = chooseVolumes(host, '/store', request([volume('', '/x')]));
  createVolumes(host, '/store', choice, makeUndo());
  const [anonymous = ''] = choice.anonymous;
  host.writeFile(`/store/volumes/${anonymous}/volume.json`, '');
  assert.deepEqual(removeVolumes(host, '/store', own(anonymous), [], []), []);
  assert.equal(host.lstat(`/store/volumes/${anonymous}`), undefined);
});

test('options of the local driver: what it stands on, and what is refused', () => {
  assert.deepEqual(backingOf({ name: 'v', options: { o: 'uid=3' } }), { kind: 'directory' });
  assert.deepEqual(backingOf({ name: 'v', options: { device: '/d', type: 'none', o: 'bind,ro' } }), {
    kind: 'bind',
    device: '/d',
    words: ['ro'],
  });
  assert.deepEqual(backingOf({ name: 'v', options: { device: 'tmpfs', type: 'tmpfs', o: 'size=1m,uid=3' } }), {
    kind: 'mount',
    type: 'tmpfs',
    device: 'tmpfs',
    words: ['size=1m', 'uid=3'],
  });
  assert.throws(() => readOptions('v', 'local', ['type=tmpfs']), /needs --opt device=/);
  assert.throws(() => readOptions('v', 'nfs', []), /no such volume driver/);
  assert.throws(() => readOptions('v', 'local', ['o=size=3']), /only uid= and gid=/);
});
