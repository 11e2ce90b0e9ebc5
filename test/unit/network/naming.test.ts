import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceNames, endWait } from '../../../src/network/naming.ts';
import { setting } from './setting.ts';

/** `network hold` of an account, process 500; the signals that were sent. */
function waiting(startTime: string) {
  const signals: number[] = [];
  const { host } = setting({ uid: 1000 });
  host.mkdirs('/run/berth/users/1000', 0o700);
  host.chown('/run/berth/users/1000', 1000, 1000);
  Object.assign(host, { pid: 500 });
  announceNames(host);
  const startTimeOf = () => startTime;
  Object.assign(host, { startTime: startTimeOf, signal: (_: number, signal: number) => signals.push(signal) > 0 });
  return { host, signals };
}

void test('the wait for names is ended once, by a signal to the process that waits', () => {
  const { host, signals } = waiting('12345');
  endWait(host);
  endWait(host);
  assert.deepEqual(signals, [15]);
});

void test('another process with the same number is left alone', () => {
  const { host, signals } = waiting('99999');
  endWait(host);
  assert.deepEqual(signals, []);
});

void test('the wait is not ended before the way out is there', () => {
  const { host, signals } = waiting('12345');
  const lock = host.lock.bind(host);
  const asked: string[] = [];
  Object.assign(host, {
    lock: (path: string, exclusive: boolean, wait: boolean) => {
      assert.deepEqual(signals, []);
      asked.push(`${path.slice(path.lastIndexOf('/') + 1)} ${String(exclusive)} ${String(wait)}`);
      return lock(path, exclusive, false);
    },
  });
  endWait(host);
  assert.deepEqual(asked, ['way-out false true']);
  assert.deepEqual(signals, [15]);
});
