import assert from 'node:assert/strict';
import test from 'node:test';
import { ControlError, type ManagerBus, type Request, type Signal } from '../../../src/systemd/bus.ts';
import { runJob } from '../../../src/systemd/jobs.ts';

const JOB = '/org/freedesktop/systemd1/job/7';

interface Unit {
  readonly job: number;
  readonly activeState: string;
  /** Of the service; default simple. */
  readonly type?: string;
}

/** A manager of our own making: what it is asked for is in `calls`; `unit` is what it says of the unit. */
function fakeBus(calls: string[], unit: Unit): ManagerBus & { fail(): void; tell(result: string): void } {
  const listeners = new Set<(signal: Signal) => void>();
  let reject: (error: Error) => void = () => undefined;
  const ended = new Promise<never>((_, no) => (reject = no));
  ended.catch(() => undefined);
  return {
    ended,
    close: () => undefined,
    fail: () => reject(new ControlError('Disconnected', 'gone')),
    tell: result =>
      listeners.forEach(hear => hear({ member: 'JobRemoved', path: '', body: [7, JOB, 'web.service', result] })),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    call({ member, body }: Request) {
      calls.push(member);
      if (member === 'StartUnit' || member === 'StopUnit') return Promise.resolve([JOB]);
      if (member === 'LoadUnit' || member === 'GetUnit') return Promise.resolve(['/unit']);
      const properties = {
        Id: 'web.service',
        ActiveState: unit.activeState,
        Job: [unit.job, `/org/freedesktop/systemd1/job/${unit.job}`],
      };
      return Promise.resolve([
        String(body?.[0]).endsWith('.Unit') ? properties : { Type: unit.type ?? 'simple', Result: 'success' },
      ]);
    },
  };
}

/** A job whose connection ends; what it came to, and how often the job was asked for. */
async function overGap(
  unit: Unit,
  result?: string,
  verb: 'StartUnit' | 'StopUnit' = 'StartUnit',
): Promise<[string, number]> {
  const calls: string[] = [];
  const first = fakeBus(calls, unit);
  const second = fakeBus(calls, unit);
  const again = (): Promise<ManagerBus> => {
    if (result !== undefined) setTimeout(() => second.tell(result), 20);
    return Promise.resolve(second);
  };
  const end = runJob({ bus: first, again }, verb, 'web.service');
  setTimeout(() => first.fail(), 5);
  return [await end, calls.filter(call => call === verb).length];
}

test('a job that was accepted is followed over a gap of the bus, and asked for once', async () => {
  assert.deepEqual(await overGap({ job: 7, activeState: 'activating' }, 'timeout'), ['timeout', 1]);
});

test('what ended in the gap is read off the unit', async () => {
  assert.deepEqual(await overGap({ job: 0, activeState: 'active' }), ['done', 1]);
  assert.deepEqual(await overGap({ job: 0, activeState: 'failed' }), ['failed', 1]);
  assert.deepEqual(await overGap({ job: 0, activeState: 'inactive' }), ['canceled', 1]);
  assert.deepEqual(await overGap({ job: 0, activeState: 'inactive', type: 'oneshot' }), ['done', 1]);
});

test('a stop is done when its unit is down, also as a failed one', async () => {
  for (const activeState of ['inactive', 'failed'])
    assert.deepEqual(await overGap({ job: 0, activeState }, undefined, 'StopUnit'), ['done', 1]);
  assert.deepEqual(await overGap({ job: 0, activeState: 'active' }, undefined, 'StopUnit'), ['canceled', 1]);
});

test("another's job in the place of ours is left alone", async () => {
  assert.deepEqual(await overGap({ job: 9, activeState: 'deactivating' }), ['canceled', 1]);
});

test('a job that was accepted on another connection is not asked for again', async () => {
  const calls: string[] = [];
  const bus = fakeBus(calls, { job: 7, activeState: 'activating' });
  setTimeout(() => bus.tell('timeout'), 5);
  const line = { bus, again: () => Promise.resolve(bus) };
  assert.equal(await runJob(line, 'StartUnit', 'web.service', JOB), 'timeout');
  assert.ok(!calls.includes('StartUnit'));
});

test('a call that nobody answers is asked again over another connection, and the silent one is closed', async () => {
  const calls: string[] = [];
  const silent = (): Promise<never> => Promise.reject(new ControlError('NoReply', 'no answer'));
  const closed: number[] = [];
  const whole = fakeBus(calls, { job: 0, activeState: 'active' });
  const mute = [0, 1, 2, 3, 4].map(at => ({
    ...fakeBus([], { job: 0, activeState: '' }),
    call: silent,
    close: () => void closed.push(at),
  }));
  const lineOf = (buses: ManagerBus[]): Parameters<typeof runJob>[0] => {
    const [bus = whole, ...rest] = buses;
    return { bus, again: () => Promise.resolve(rest.shift() ?? whole) };
  };
  assert.equal(await runJob(lineOf(mute.slice(0, 2)), 'StartUnit', 'web.service', JOB), 'done');
  assert.deepEqual(closed, [0, 1]);
  await assert.rejects(runJob(lineOf(mute), 'StartUnit', 'web.service', JOB), { name: 'NoReply' });
});
