import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpawnRequest } from '../../../src/host/host.ts';
import { announceNames, awaitListening, awaitNames, endWait, waitForNames } from '../../../src/network/naming.ts';
import { setting } from './setting.ts';

const CGROUP = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/berth-netns.service\n';

/** `network hold` of an account, process 500; the signals that were sent. */
function waiting(startTime: string) {
  const signals: number[] = [];
  const { host } = setting({ uid: 1000, files: { '/proc/self/cgroup': CGROUP } });
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

void test('who masked the unit of the names, or where it failed, need not wait: it is seen at once, and the start says it', () => {
  const { host } = waiting('12345');
  let waited = 0;
  const said: string[] = [];
  const release = (): void => undefined;
  const poll = (_: readonly number[], time: number): number[] => {
    waited += time;
    return [];
  };
  const jobs: string[] = [];
  const run = ({ argv }: SpawnRequest) => {
    assert.deepEqual(argv, ['systemctl', '--user', 'show', '-P', 'Job', 'berth-names.service']);
    return { status: 0, stdout: `${jobs.shift() ?? ''}\n`, stderr: '' };
  };
  Object.assign(host, { poll, run, write: (_: number, text: string) => said.push(text), lock: () => ({ release }) });
  waitForNames(host);
  assert.ok(waited > 0 && waited < 1000, String(waited));
  awaitNames(host);
  assert.match(
    said.join(),
    /^berth: warning: the names of the networks are not served: see systemctl --user status berth-names\.service\n$/,
  );
  endWait(host);
  awaitNames(host);
  assert.equal(said.length, 1);
  // One that systemd has not come to yet.
  waited = 0;
  jobs.push(...Array<string>(10).fill('57'));
  waitForNames(host);
  assert.ok(waited >= 2000 && waited < 3000, String(waited));
  // One that runs, but does not answer.
  waited = 0;
  Object.assign(host, { lstat: () => ({ kind: 'link' }) });
  waitForNames(host);
  assert.ok(waited >= 10_000, String(waited));
});

void test('a start waits until the server listens for all its networks, once it does not wait, and not for ever', () => {
  const line = (address: string): string => `  1: ${address}:0035 00000000:0000 07 00000000:00000000 00:00000000\n`;
  const looks = (servers: readonly string[], ...texts: string[]): number => {
    const { host } = setting({});
    let count = 0;
    Object.assign(host, {
      readFileIfExists: () => texts[Math.min(count, texts.length - 1)],
      poll: () => (count++, []),
    });
    awaitListening(host, 77, servers);
    return count;
  };
  const [one, two] = [line('0100580A'), line('0200580A')];
  assert.equal(looks(['10.88.0.1'], one), 0);
  assert.equal(looks(['10.88.0.1', '10.88.0.2'], '', one, one + two), 2);
  assert.equal(looks(['10.88.0.1'], line('00000000')), 0);
  assert.equal(looks(['fd00::1'], ''), 0);
  assert.equal(looks(['10.88.0.1'], two), 500);
});
