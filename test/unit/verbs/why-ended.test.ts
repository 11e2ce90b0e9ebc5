import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import type { ExitRecord } from '../../../src/run/exit-record.ts';
import type { ContainerState } from '../../../src/run/state.ts';
import { startLine, whyEnded } from '../../../src/verbs/why-ended.ts';
import { aState } from '../run/state-fixture.ts';

const SCOPE = { kind: 'user', uid: 1000 } as const;
const WAY = {
  version: 1,
  name: 'web',
  unit: 'web.service',
  properties: [['ExecStartEx', 'a(sasas)', [['/usr/bin/berth', ['/usr/bin/berth', 'run', '-d', 'box', "it's"], []]]]],
};
const STARTED = String.raw`it was started by: berth run -d box 'it'\''s'`;

/** An account with one container that has ended; the journal says this to who asks for a message of systemd, and that to others. */
function account(
  changes: Partial<ContainerState>,
  exit?: Omit<ExitRecord, 'finished'>,
  journal = { systemd: '', payload: '' },
): FakeHost {
  const bundle = '/run/user/1000/berth/containers/web';
  const state = aState({ manager: 'user', cgroup: '/web.service/payload', remove: false, ...changes });
  const host = fakeHost({
    uid: 1000,
    environment: { XDG_RUNTIME_DIR: '/run/user/1000' },
    files: {
      [`${bundle}/state.json`]: JSON.stringify(state),
      ...(exit === undefined ? {} : { [`${bundle}/exit.json`]: JSON.stringify({ ...exit, finished: 1_699_999_820 }) }),
      '/var/lib/berth/users/1000/containers/web/unit.json': JSON.stringify(WAY),
    },
    run: ({ argv }) => ({
      status: 0,
      stderr: '',
      stdout: argv.some(word => word.startsWith('MESSAGE_ID=')) ? journal.systemd : journal.payload,
    }),
  });
  for (const path of ['/run/user/1000', '/run/user/1000/berth']) host.chown(path, 1000, 1000);
  return host;
}

const told = (...words: Parameters<typeof account>): string[] | undefined =>
  whyEnded({ host: account(...words), scope: SCOPE }, 'web.service');

test('a container tells of its end when systemd has forgotten its unit', () => {
  const journal = { systemd: '', payload: 'the last\x1b word\n' };
  const host = account({}, { status: 9, outOfMemory: false }, journal);
  const said = whyEnded({ host, scope: SCOPE }, 'web.service');
  assert.deepEqual(said, [
    'container web ended 3 minutes ago: its main process exited with status 9',
    STARTED,
    '  the last? word',
  ]);
  assert.match(host.log.join('\n'), /--since=@1699999000 --lines=10 _SYSTEMD_USER_UNIT=web\.service _UID=1000 /);
});

test('a signal, and memory that was not there', () => {
  const end = 'its main process was killed by signal';
  const [killed] = told({}, { status: 139, signal: 11, outOfMemory: false }) ?? [];
  assert.equal(killed, `container web ended 3 minutes ago: ${end} 11 (SIGSEGV)`);
  const lacked = `container web ended 3 minutes ago: out of memory: the kernel killed a process of it; ${end} 9 (SIGKILL)`;
  assert.equal(told({}, { status: 137, signal: 9, outOfMemory: true })?.[0], lacked);
  // The unit went on all the same (OOMPolicy=continue): the manager's own line tells.
  const exit = { status: 137, signal: 9, outOfMemory: false };
  assert.equal(told({}, exit, { systemd: 'web.service: A process was killed', payload: '' })?.[0], lacked);
  assert.equal(told({}, exit)?.[0], `container web ended 3 minutes ago: ${end} 9 (SIGKILL)`);
});

test('an end that nobody saw, and one that never began', () => {
  assert.deepEqual(told({}), ['container web has ended, and nobody saw how', STARTED]);
  const [first] = told({}, { outOfMemory: false }) ?? [];
  assert.equal(first, 'container web ended 3 minutes ago');
  assert.deepEqual(told({ pid: 0, startTime: '' }), ['container web was created, and not started yet']);
});

test('what ran in the foreground is asked for by its name, and has no lines in the journal', () => {
  const said = told(
    { unit: 'run-7.scope' },
    { status: 1, outOfMemory: false },
    { systemd: '', payload: 'not its own' },
  );
  assert.deepEqual(said, ['container web ended 3 minutes ago: its main process exited with status 1', STARTED]);
});

test('none of another unit or another manager', () => {
  assert.equal(told({ unit: 'other.service' }, { status: 1, outOfMemory: false }), undefined);
  assert.equal(told({ manager: 'system' }, { status: 1, outOfMemory: false }), undefined);
  assert.deepEqual(startLine({ host: account({}), scope: SCOPE }, 'web.service'), [STARTED]);
  assert.deepEqual(startLine({ host: account({}), scope: SCOPE }, 'run-7.scope'), []);
});
