import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { findContainer, findNamed, isRunning, listContainers, requireContainer } from '../../../src/run/containers.ts';
import { Failure } from '../../../src/run/failure.ts';
import { aState } from './state-fixture.ts';

const WEB = '/run/berth/containers/web';

function host(files: Record<string, string>, startTime?: string, ended = false): FakeHost {
  return fakeHost({
    files,
    calls: {
      startTime: () => startTime,
      openProcess: () => (startTime === undefined ? undefined : 5),
      poll: (fds: readonly number[]) => (ended ? [...fds] : []),
      close: () => undefined,
    },
  });
}

test('a container is found by name, by id and by the beginning of an id', () => {
  const one = host({ [`${WEB}/state.json`]: JSON.stringify(aState()) });
  for (const word of ['web', 'ab'.repeat(32), 'abab']) assert.equal(findContainer(one, word)?.name, 'web', word);
  for (const word of ['we', 'x', '../web', 'cd']) assert.equal(findContainer(one, word), undefined, word);
});

test('a name is not taken for the beginning of an id', () => {
  const one = host({ [`${WEB}/state.json`]: JSON.stringify(aState()) });
  assert.equal(findNamed(one, 'web')?.name, 'web');
  for (const word of ['ab', 'ab'.repeat(32)]) assert.equal(findNamed(one, word), undefined, word);
});

test('a pid that another process has got is not the payload', () => {
  assert.equal(isRunning(host({}, '1000'), aState()), true);
  assert.equal(isRunning(host({}, '2000'), aState()), false);
  assert.equal(isRunning(host({}), aState()), false);
  // systemd has not asked for its status yet.
  assert.equal(isRunning(host({}, '1000', true), aState()), false);
});

test('a bundle without a whole state is a start that was cut off', () => {
  const cut = host({ [`${WEB}/config.json`]: '{}', [`${WEB}/state.json`]: '{"version":' });
  assert.deepEqual(listContainers(cut), [{ name: 'web', bundle: WEB }]);
  assert.throws(() => requireContainer(cut, 'web'), /has not finished to start/);
});

test('a state of a newer version is refused by name while its payload runs, then it is what a start left', () => {
  const text = (more: object) => ({ [`${WEB}/state.json`]: JSON.stringify({ ...aState(), version: 99, ...more }) });
  for (const one of [host(text({}), '1000'), host(text({ pid: 'another format' }))]) {
    assert.throws(
      () => findContainer(one, 'web'),
      (error: unknown) => error instanceof Failure && /web: started by a newer berth/.test(error.message),
    );
  }
  assert.deepEqual(findContainer(host(text({})), 'web'), { name: 'web', bundle: WEB });
});

test('T33: a runtime directory of somebody else is not looked into', () => {
  const other = fakeHost({
    uid: 1000,
    environment: { XDG_RUNTIME_DIR: '/run/user/0' },
    files: { '/run/user/0/berth/containers/web/state.json': JSON.stringify(aState()) },
  });
  assert.deepEqual(listContainers(other), []);
});
