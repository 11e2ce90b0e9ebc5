import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busAddress } from '../../../src/systemd/bus.ts';
import { hasFailed, reasonOf, waitsForRestart } from '../../../src/systemd/explain.ts';
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
  unmet: [],
  controlGroup: '',
  logNamespace: '',
  result: 'exit-code',
  mainPid: 0,
  mainCode: 1,
  mainStatus: 127,
  mainBegan: 5_000,
  mainEnded: 6_000,
  goodStatuses: [],
  upFrom: 0,
  upTo: 0,
  runtimeMost: 0,
  reloadResult: 'success',
  commands: [],
  statusText: '',
  restarts: 0,
  memory: undefined,
  memoryMost: undefined,
  tasks: undefined,
};

test('a result of systemd is told in words', () => {
  assert.equal(
    reasonOf(UP, 'failed'),
    'its main process exited with status 127: the program of the container does not exist',
  );
  assert.equal(
    reasonOf({ ...UP, result: 'signal', mainCode: 2, mainStatus: 9 }, 'failed'),
    'its main process was killed by signal 9 (SIGKILL)',
  );
  for (const [result, mainCode] of [
    ['signal', 2],
    ['core-dump', 3],
  ] as const)
    assert.match(
      reasonOf({ ...UP, result, mainCode, mainStatus: 31 }, 'failed'),
      /\(SIGSYS\): SystemCallFilter= in \[Service\] must/,
    );
  const killed = 'out of memory: the kernel killed a process of it';
  assert.equal(reasonOf({ ...UP, result: 'oom-kill', mainCode: 0 }, 'failed'), killed);
  assert.equal(
    reasonOf({ ...UP, result: 'oom-kill', memoryMost: 4096, mainCode: 2, mainStatus: 9 }, 'failed'),
    `${killed} (MemoryMax=4096); its main process was killed by signal 9 (SIGKILL)`,
  );
  assert.equal(reasonOf(UP, 'dependency'), 'a unit that it requires failed');
  assert.equal(reasonOf({ ...UP, loadState: 'not-found' }, 'failed'), 'there is no such unit');
  assert.equal(reasonOf({ ...UP, result: 'unheard-of' }, 'failed'), 'its result is unheard-of');
  assert.match(reasonOf({ ...UP, result: 'start-limit-hit' }, 'failed'), /StartLimitBurst=/);
});

test('what failed a unit is named: a command of it, or the main process, whichever was first', () => {
  const command = { key: 'ExecStartPre', words: ['/bin/sh', '-c', 'exit 3'], code: 1, status: 3, ended: 5_500 };
  const none = { ...UP, mainCode: 0, mainStatus: 0 };
  assert.equal(
    reasonOf({ ...none, commands: [command] }, 'failed'),
    'its ExecStartPre= (/bin/sh -c exit 3) exited with status 3',
  );
  assert.match(reasonOf({ ...UP, mainCode: 2, mainStatus: 9, commands: [command] }, 'failed'), /^its ExecStartPre=/);
  const later = { ...command, key: 'ExecStopPost', ended: 6_500 };
  assert.match(reasonOf({ ...UP, commands: [later] }, 'failed'), /^its main process exited with status 127/);
  assert.match(reasonOf({ ...UP, goodStatuses: [127], commands: [later] }, 'failed'), /^its ExecStopPost=/);
  const killed = { ...command, code: 2, status: 9 };
  assert.match(reasonOf({ ...none, result: 'signal', commands: [killed] }, 'failed'), /was killed by signal 9/);
  assert.equal(reasonOf(none, 'failed'), 'one of its commands exited with a failure');
  assert.match(reasonOf({ ...UP, mainStatus: 200 }, 'failed'), /status 200: .*WorkingDirectory=/);
});

test('a job without a failure of its unit, a reload, a limit of time', () => {
  const up = { ...UP, activeState: 'active', result: 'success' };
  const reload = { key: 'ExecReload', words: ['/bin/false'], code: 1, status: 1, ended: 6_500 };
  assert.equal(
    reasonOf({ ...up, reloadResult: 'exit-code', commands: [reload] }, 'failed'),
    'its reload failed: its ExecReload= (/bin/false) exited with status 1; it runs as before',
  );
  assert.equal(reasonOf(up, 'once'), 'it has run once already, and can do so once in a boot');
  assert.equal(reasonOf(up, 'unheard-of'), 'the job ended as unheard-of');
  const late = { ...UP, result: 'timeout' };
  assert.match(reasonOf(late, 'failed'), /its start took longer/);
  assert.match(reasonOf({ ...late, upFrom: 5_001, upTo: 5_900 }, 'failed'), /its stop took longer/);
  assert.match(reasonOf({ ...late, upFrom: 5_001, upTo: 5_900, runtimeMost: 800 }, 'failed'), /RuntimeMaxSec=/);
  assert.match(reasonOf({ ...late, upFrom: 3_000, upTo: 4_000 }, 'failed'), /its start took longer/);
  assert.match(
    reasonOf({ ...UP, assertResult: false, unmet: ['AssertPathExists=/x'] }, 'failed'),
    /: AssertPathExists=\/x$/,
  );
});

test('a start that did not begin was refused, whatever the one before came to', () => {
  assert.match(reasonOf(UP, 'failed', 7_001), /StartLimitBurst=/);
  assert.match(reasonOf(UP, 'failed', 6_999), /status 127/);
  // Of one that could not be begun systemd knows the time as little.
  assert.match(reasonOf({ ...UP, result: 'resources' }, 'failed', 7_001), /a resource/);
});

test('what fails again and again has failed between its starts, too', () => {
  assert.ok(hasFailed(UP));
  const between = { ...UP, activeState: 'activating', subState: 'auto-restart', restarts: 3 };
  assert.ok(hasFailed(between) && waitsForRestart(between));
  assert.match(reasonOf(between, 'failed'), /^its main process exited with status 127/);
  assert.ok(hasFailed({ ...between, activeState: 'deactivating', subState: 'stop-post' }));
  const ended = { ...between, result: 'success', mainStatus: 0 };
  assert.ok(!hasFailed(ended) && waitsForRestart({ ...ended, subState: 'auto-restart-queued' }));
  assert.ok(!hasFailed({ ...ended, subState: 'start' }) && !waitsForRestart({ ...ended, subState: 'start' }));
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
