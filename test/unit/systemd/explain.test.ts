import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busAddress } from '../../../src/systemd/bus.ts';
import { reasonOf } from '../../../src/systemd/explain.ts';
import { signalName } from '../../../src/systemd/signal-name.ts';
import type { UnitState } from '../../../src/systemd/units.ts';
import { unitPath } from '../../../src/systemd/unit-path.ts';

const UP: UnitState = {
  name: 'web.service',
  description: '',
  loadState: 'loaded',
  loadError: '',
  activeState: 'failed',
  subState: 'failed',
  unitFileState: 'generated',
  fragmentPath: '',
  sourcePath: '',
  dropIns: [],
  job: 0,
  needReload: false,
  since: 0,
  moved: 7_000,
  requires: [],
  after: [],
  partOf: [],
  type: 'notify',
  remains: false,
  invocation: '',
  conditionResult: true,
  assertResult: true,
  controlGroup: '',
  result: 'exit-code',
  mainPid: 0,
  mainCode: 1,
  mainStatus: 127,
  statusText: '',
  restarts: 0,
  memory: undefined,
  tasks: undefined,
};

test('a result of systemd is told in words', () => {
  assert.equal(
    reasonOf(UP, 'failed'),
    'its main process exited with status 127: the program of the container does not exist',
  );
  assert.equal(
    reasonOf({ ...UP, result: 'signal', mainStatus: 9 }, 'failed'),
    'its main process was killed by signal 9 (SIGKILL)',
  );
  for (const result of ['signal', 'core-dump'])
    assert.match(
      reasonOf({ ...UP, result, mainStatus: 31 }, 'failed'),
      /\(SIGSYS\): SystemCallFilter= in \[Service\] must/,
    );
  assert.equal(reasonOf(UP, 'dependency'), 'a unit that it requires failed');
  assert.equal(reasonOf({ ...UP, loadState: 'not-found' }, 'failed'), 'there is no such unit');
  assert.equal(reasonOf({ ...UP, result: 'unheard-of' }, 'failed'), 'its result is unheard-of');
  assert.match(reasonOf({ ...UP, result: 'start-limit-hit' }, 'failed'), /StartLimitBurst=/);
});

test('a start that did not begin was refused, whatever the one before came to', () => {
  assert.match(reasonOf(UP, 'failed', 7_001), /StartLimitBurst=/);
  assert.match(reasonOf(UP, 'failed', 6_999), /status 127/);
});

test('signals have their names, and numbers where there is none', () => {
  assert.deepEqual([1, 15, 28, 31].map(signalName), ['SIGHUP', 'SIGTERM', 'SIGWINCH', 'SIGSYS']);
  assert.equal(signalName(40), 'number 40');
});

test('the bus of a manager is found as sd-bus finds it', () => {
  const none = (): undefined => undefined;
  assert.equal(busAddress({ kind: 'system' }, none, 1000), 'unix:path=/run/dbus/system_bus_socket');
  assert.equal(busAddress({ kind: 'user', uid: 1000 }, none, 1000), 'unix:path=/run/user/1000/bus');
  const set = (name: string): string | undefined =>
    name === 'DBUS_SESSION_BUS_ADDRESS' ? 'unix:path=/x' : name === 'XDG_RUNTIME_DIR' ? '/run/u' : undefined;
  assert.equal(busAddress({ kind: 'user', uid: 1000 }, set, 1000), 'unix:path=/x');
  assert.equal(busAddress({ kind: 'user', uid: 1001 }, set, 1000), 'unix:path=/run/user/1001/bus');
});

test('the object path of a unit', () => {
  assert.equal(unitPath('web-1.service'), '/org/freedesktop/systemd1/unit/web_2d1_2eservice');
  assert.equal(unitPath('7zip.service'), '/org/freedesktop/systemd1/unit/_37zip_2eservice');
});
