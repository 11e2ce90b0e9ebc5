import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { Failure } from '../../../src/run/failure.ts';
import { main as update } from '../../../src/verbs/update.ts';
import { aState } from '../run/state-fixture.ts';

const UNIT = '/sys/fs/cgroup/system.slice/web.service';
const BEFORE = { 'memory.max': 'max', 'memory.swap.max': 'max', 'cpu.max': 'max 100000', 'pids.max': '100' };

function run(...words: string[]): FakeHost {
  const state = aState({ cgroup: '/system.slice/web.service/payload' });
  const host = fakeHost({
    argv: ['berth', 'update', ...words, 'web'],
    directories: ['/run/berth/containers/web'],
    files: {
      '/run/berth/containers/web/state.json': JSON.stringify(state),
      '/proc/77/stat': `77 (sleep) S ${'0 '.repeat(18)}1000 0`,
      [`${UNIT}/cgroup.controllers`]: 'cpuset cpu memory pids\n',
      [`${UNIT}/cgroup.subtree_control`]: 'pids\n',
      ...Object.fromEntries(Object.entries(BEFORE).map(([name, value]) => [`${UNIT}/payload/${name}`, value])),
    },
  });
  assert.equal(update(host), 0);
  return host;
}

test('limits become files of the payload group, and the controller is enabled for it', () => {
  const host = run('--memory=100m', '--cpus=0.5');
  const limits = limitsOf(host);
  assert.equal(limits['memory.max'], '104857600');
  assert.equal(limits['memory.swap.max'], '104857600');
  assert.equal(limits['cpu.max'], '50000 100000');
  assert.match(host.log.join(' '), /subtree_control/);
  assert.match(host.written.err, /until web is started again/);
});

test('what was not named stays: the number of processes, too', () => {
  const host = run('--cpus=0.5');
  assert.deepEqual(limitsOf(host), { ...BEFORE, 'cpu.max': '50000 100000' });
});

test('without a limit, and for one below the smallest, it says what is wrong', () => {
  assert.throws(() => run(), Failure);
  assert.throws(() => run('--cpus=0.001'), Failure);
});

function limitsOf(host: FakeHost): Record<string, string> {
  const below = `${UNIT}/payload/`;
  const files = Object.entries(host.files.contents()).filter(([path]) => path.startsWith(below));
  return Object.fromEntries(files.map(([path, text]) => [path.slice(below.length), text]));
}
