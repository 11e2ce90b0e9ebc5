import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControlError, type ManagerBus, type Signal } from '../../../src/systemd/bus.ts';
import { over } from '../../../src/verbs/units-over.ts';

const PATH = '/org/freedesktop/systemd1/unit/web_2eservice';
const UNIT = 'web.service';

interface Fake extends ManagerBus {
  state: readonly [active: string, sub: string, job: number];
  looks: number;
  tell(signal: Signal): void;
  fail(): void;
}

function fakeBus(state: Fake['state']): Fake {
  const listeners = new Set<(signal: Signal) => void>();
  let fail: (error: Error) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => (fail = reject));
  ended.catch(() => undefined);
  const fake: Fake = {
    state,
    looks: 0,
    ended,
    close: () => undefined,
    fail: () => fail(new ControlError('Disconnected', 'gone')),
    tell: signal => listeners.forEach(hear => hear(signal)),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    call({ member, body }) {
      if (member === 'LoadUnit') return Promise.resolve([PATH]);
      const [ActiveState, SubState, job] = fake.state;
      if (!String(body?.[0]).endsWith('.Unit')) return Promise.resolve([{}]);
      fake.looks++;
      return Promise.resolve([{ Id: UNIT, LoadState: 'loaded', ActiveState, SubState, Job: [job, '/'] }]);
    },
  };
  return fake;
}

const changed = (active: string, sub: string): Signal => {
  return { member: 'PropertiesChanged', path: PATH, body: ['', { ActiveState: active, SubState: sub }, []] };
};
const turn = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 5));

/** Whether a unit is over after each step. */
async function watched(bus: Fake, steps: readonly (() => void)[], next: Fake = bus): Promise<boolean[]> {
  const stop = new AbortController();
  let is = false;
  const end = over({ bus, again: () => Promise.resolve(next) }, UNIT, stop.signal).then(() => (is = true));
  const seen: boolean[] = [];
  for (const step of [(): void => undefined, ...steps]) {
    step();
    await turn();
    seen.push(is);
  }
  stop.abort();
  next.fail();
  await end;
  return seen;
}

test('a unit that is down is over at once, also one that remains', async () => {
  for (const [active, sub] of [
    ['inactive', 'dead'],
    ['failed', 'failed'],
    ['active', 'exited'],
  ] as const)
    assert.deepEqual(await watched(fakeBus([active, sub, 0]), []), [true]);
  for (const [active, sub, job] of [
    ['active', 'running', 0],
    ['activating', 'auto-restart', 0],
    ['inactive', 'dead', 7],
  ] as const)
    assert.deepEqual(await watched(fakeBus([active, sub, job]), []), [false]);
});

test('a restart is no end, and what changes beside it is not looked at', async () => {
  const bus = fakeBus(['active', 'running', 0]);
  const to = (state: Fake['state'], signal = changed(state[0], state[1])): (() => void) => {
    return () => {
      bus.state = state;
      bus.tell(signal);
    };
  };
  const removed: Signal = { member: 'JobRemoved', path: '', body: [7, '/', UNIT, 'done'] };
  const steps = [
    to(['active', 'running', 0]),
    to(['inactive', 'dead', 7]),
    to(['activating', 'start', 7]),
    to(['active', 'running', 0], removed),
    to(['inactive', 'dead', 8]),
    to(['inactive', 'dead', 0], removed),
  ];
  assert.deepEqual(await watched(bus, steps), [false, false, false, false, false, false, true]);
  assert.equal(bus.looks, 5);
});

test('over a gap of the bus it is looked for anew', async () => {
  const first = fakeBus(['active', 'running', 0]);
  const second = fakeBus(['inactive', 'dead', 0]);
  first.call = (call => request => {
    return first.state[0] === 'gone' ? Promise.reject(new ControlError('Disconnected', 'gone')) : call(request);
  })(first.call.bind(first));
  const breaks = (): void => {
    first.state = ['gone', '', 0];
    first.fail();
  };
  const wait = (): void => undefined;
  const seen = await watched(first, [breaks, ...Array.from({ length: 100 }, () => wait)], second);
  assert.deepEqual([seen[0], seen.at(-1)], [false, true]);
});
