import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { Failure } from '../../../src/run/failure.ts';
import { main as update } from '../../../src/verbs/update.ts';
import { aState } from '../run/state-fixture.ts';

const UNIT = '/sys/fs/cgroup/system.slice/web.service';
const BEFORE = {
  'memory.max': 'max',
  'memory.swap.max': 'max',
  'cpu.max': 'max 100000',
  'pids.max': '100',
  'cpu.weight': '100',
  'memory.low': '0',
};

const run = (...words: string[]): FakeHost => runOver(BEFORE, ...words);

function runOver(before: Record<string, string>, ...words: string[]): FakeHost {
  const state = aState({ cgroup: '/system.slice/web.service/payload' });
  const host = fakeHost({
    argv: ['berth', 'update', ...words, 'web'],
    directories: ['/run/berth/containers/web'],
    files: {
      '/run/berth/containers/web/state.json': JSON.stringify(state),
      '/proc/77/stat': `77 (sleep) S ${'0 '.repeat(18)}1000 0`,
      [`${UNIT}/cgroup.controllers`]: 'cpuset cpu memory pids\n',
      [`${UNIT}/cgroup.subtree_control`]: 'pids\n',
      ...Object.fromEntries(Object.entries(before).map(([name, value]) => [`${UNIT}/payload/${name}`, value])),
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

test('no limit is a value, too', () => {
  const before = {
    ...BEFORE,
    'memory.max': '1048576',
    'memory.swap.max': '0',
    'cpu.max': '5000 100000',
    'cpu.weight': '50',
    'memory.low': '4096',
  };
  assert.deepEqual(limitsOf(run('--pids-limit=-1')), { ...BEFORE, 'pids.max': 'max' });
  assert.deepEqual(limitsOf(run('--pids-limit=0')), { ...BEFORE, 'pids.max': 'max' });
  const lifted = limitsOf(
    runOver(before, '--memory=0', '--cpus=0', '--pids-limit=-1', '--cpu-shares=0', '--memory-reservation=0'),
  );
  assert.deepEqual(lifted, { ...BEFORE, 'pids.max': 'max' });
  const swapping = limitsOf(runOver(before, '--memory-swap=-1'));
  assert.deepEqual(swapping, { ...before, 'memory.swap.max': 'max' });
  assert.equal(limitsOf(run('--memory=1m', '--memory-swap=-1'))['memory.swap.max'], 'max');
});

test('what would change nothing is said', () => {
  assert.throws(() => run('--memory-swap=0'), /nothing to change/);
  assert.throws(() => run('--memory=0', '--memory-swap=2g'), /--memory has no limit/);
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
