import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import type { Host } from '../../../src/host/host.ts';
import type { Context } from '../../../src/run/context.ts';
import { stopContainer } from '../../../src/run/ending.ts';
import { stopPayload } from '../../../src/run/stop.ts';
import { aState } from './state-fixture.ts';

/** A payload that ends by the signals of `endsBy`. */
function running(endsBy: readonly number[], calls = {}): FakeHost {
  let alive = true;
  const host = fakeHost({
    files: { '/sys/fs/cgroup/u/payload/cgroup.procs': '77\n', '/sys/fs/cgroup/u/payload/cgroup.kill': '' },
    calls: {
      openProcess: () => (alive ? 5 : undefined),
      startTime: () => (alive ? '1000' : undefined),
      signal(_fd: number, signal: number) {
        host.log.push(`signal(${signal})`);
        if (endsBy.includes(signal)) alive = false;
        return true;
      },
      poll(fds: readonly number[], timeout: number) {
        if (timeout !== 0) host.log.push(`poll(${timeout})`);
        if (host.files.contents()['/sys/fs/cgroup/u/payload/cgroup.kill'] === '1') alive = false;
        return alive ? [] : [...fds];
      },
      close: () => undefined,
      ...calls,
    },
  });
  return host;
}

test('the stop signal, and no more when that is enough', () => {
  const host = running([15]);
  assert.equal(stopPayload(host, aState({ cgroup: '/u/payload' }), 15, 10), true);
  assert.deepEqual(host.log, ['signal(15)', 'poll(10000)']);
});

test('a payload that ignores it is killed with its whole group when the time is over', () => {
  const host = running([]);
  stopPayload(host, aState({ cgroup: '/u/payload' }), 15, 3);
  assert.deepEqual(host.log.slice(0, 3), [
    'signal(15)',
    'poll(3000)',
    'writeFile(/sys/fs/cgroup/u/payload/cgroup.kill)',
  ]);
});

test('a time without end, or longer than poll(2) takes, is waited for without end', () => {
  for (const seconds of [-1, 4294967295, 3_000_000]) {
    const host = running([15]);
    stopPayload(host, aState({ cgroup: '/u/payload' }), 15, seconds);
    assert.deepEqual(host.log, ['signal(15)', 'poll(-1)'], String(seconds));
  }
});

test('without a group the payload alone gets SIGKILL', () => {
  const host = running([9]);
  stopPayload(host, aState(), 15, 1);
  assert.deepEqual(host.log, ['signal(15)', 'poll(1000)', 'signal(9)', 'poll(30000)']);
});

test('one that does not run is left alone', () => {
  const host = running([], { openProcess: () => undefined });
  assert.equal(stopPayload(host, aState(), 15, 1), false);
  assert.deepEqual(host.log, []);
});

const CONTEXT: Context = {
  cgroup: '/user.slice/session-1.scope',
  own: { unit: 'session-1.scope', manager: 'system', path: '/user.slice/session-1.scope', below: '' },
  inUnit: false,
  notify: false,
  systemd: true,
};

/** A host whose `berth unit stop` ends with this status and these words. */
function asksTheUnit(status = 0, said = '') {
  const argvs: string[] = [];
  const calls: Partial<Host> = {
    pipe: () => [7, 8],
    spawn(request) {
      argvs.push(request.argv.join(' '));
      return { pid: 9, pidfd: 9 };
    },
    wait: () => ({ status }),
    receive: () => ({ data: said, fds: [] }),
    readlink: () => '/usr/bin/berth',
  };
  return { argvs, calls };
}

test('a person stops the unit, or Restart= would bring the container back', () => {
  const { argvs, calls } = asksTheUnit();
  stopContainer(running([], calls), CONTEXT, aState({ manager: 'user' }));
  assert.deepEqual(argvs, ['/usr/bin/berth unit stop --quiet --user -- web.service']);
});

test('a unit that could not be stopped is one line, with what it said', () => {
  const { calls } = asksTheUnit(125, 'berth: access denied\nmore\n');
  const poll = (fds: readonly number[]) => (fds[0] === 7 ? [7] : []);
  assert.throws(() => {
    stopContainer(running([], { ...calls, poll }), CONTEXT, aState({ name: 'web' }));
  }, /^Failure: web: the container is web.service's, which could not be stopped; stop it first \(access denied\)$/);
});

test('inside the own unit nobody asks systemd: it waits for us', () => {
  const host = running([15]);
  const own = { unit: 'web.service', manager: 'system', path: '/system.slice/web.service', below: '.control' } as const;
  stopContainer(host, { ...CONTEXT, own, inUnit: true }, aState({ stopTimeout: 4 }));
  assert.deepEqual(host.log, ['signal(15)', 'poll(4000)']);
});

test('the same name of the other manager is another unit', () => {
  const { argvs, calls } = asksTheUnit();
  const own = { unit: 'web.service', manager: 'user', path: '/x/web.service', below: '.control' } as const;
  stopContainer(running([], calls), { ...CONTEXT, own, inUnit: true }, aState());
  assert.equal(argvs.length, 1);
});
