import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tearDown } from '../../../src/network/network.ts';
import type { ResolverRecord } from '../../../src/network/resolvers.ts';
import { LISTENS, refusal, setting } from './setting.ts';

void test('an account has pasta, with the words that Podman gives it', () => {
  const one = setting();
  const state = one.start()._unsafeUnwrap();
  const process = { pid: 500, startTime: '12345' };
  const { resolver, ...rest } = state;
  assert.deepEqual(rest, { kind: 'pasta', data: process, process });
  assert.equal((resolver as ResolverRecord).target, '127.0.0.53');
  assert.deepEqual(one.ran[0]?.argv, [
    ...[
      'pasta',
      '--config-net',
      '--dns-forward',
      '169.254.1.1',
      '-t',
      'none',
      '-u',
      'none',
      '-T',
      'none',
      '-U',
      'none',
    ],
    ...['--no-map-gw', '--map-guest-addr', '169.254.1.2', '--quiet', '--pid', '/run/berth/containers/web/pasta.pid'],
    ...['--userns', '/proc/77/ns/user', '--netns', '/proc/77/ns/net'],
  ]);
  assert.match(one.file('hosts'), /^169\.254\.1\.2\thost\.containers\.internal host\.docker\.internal$/m);
  assert.equal(one.file('resolv.conf'), 'nameserver 169.254.1.1\nnameserver 192.0.2.53\noptions edns0\n');
});

void test('published ports are forwarded, with ranges, addresses and protocols', () => {
  const one = setting();
  one.start('--publish', '8080:80', '--publish', '127.0.0.1:53:53/udp', '--publish', '9000-9002:90-92')._unsafeUnwrap();
  const words = one.ran[0]?.argv.join(' ') ?? '';
  assert.match(words, / -t 8080-8080:80-80 -t 9000-9002:90-92 -u 127\.0\.0\.1\/53-53:53-53 -T none /);
});

void test("an option of one's own takes the place of the default", () => {
  const one = setting();
  one.start('--network', 'pasta:-T,auto,--mtu,1400,--map-gw')._unsafeUnwrap();
  const words = one.ran[0]?.argv.join(' ') ?? '';
  assert.match(words, /--config-net -T auto --mtu 1400 /);
  assert.doesNotMatch(words, /-T none|map-gw/);
});

void test('a host port that is left open becomes a free one', () => {
  const one = setting();
  one.start('--publish', '80')._unsafeUnwrap();
  const found = / -t (\d+)-\d+:80-80 /.exec(one.ran[0]?.argv.join(' ') ?? '');
  assert.ok(Number(found?.[1]) >= 32768);
});

void test('a port in use is named with who has it, before anything is started', () => {
  const one = setting({
    files: {
      '/proc/net/tcp': LISTENS,
      '/proc/12/comm': 'nginx\n',
      '/proc/12/cgroup': '0::/system.slice/nginx.service\n',
      '/proc/12/fd/3': '',
    },
  });
  one.host.unlink('/proc/12/fd/3');
  one.host.symlink('socket:[4711]', '/proc/12/fd/3');
  assert.equal(
    refusal(one.start('--publish', '8080:80')),
    'port 8080/tcp is in use by nginx (process 12, nginx.service)',
  );
  assert.equal(one.ran.length, 0);
});

void test('a port of another address is free', () => {
  const one = setting({ files: { '/proc/net/tcp': LISTENS } });
  assert.ok(one.start('--publish', '192.0.2.9:8080:80').isOk());
});

void test('what pasta says about ports becomes one clear line', () => {
  const says = (text: string) =>
    setting({ run: () => ({ status: 1, stderr: `${text}\n` }) }).start('--publish', '80:80');
  const denied = "Failed to bind port 80 (Permission denied) for option '-t 80-80:80-80'";
  assert.match(refusal(says(denied)), /^port 80 may not be published by this account; .*ip_unprivileged_port_start/);
  assert.equal(refusal(says('some trouble\nthe last word')), 'pasta: the last word');
});

void test('a missing helper names the package', () => {
  assert.match(refusal(setting({ missing: true }).start()), /pasta is not installed; install the package passt/);
  assert.match(refusal(setting({ missing: true, uid: 0 }).start()), /netavark is not installed; .*package netavark/);
});

void test('what is not there is refused by name', () => {
  assert.match(refusal(setting({ uid: 0 }).start('--network', 'pasta')), /pasta does not run as root; .*bridge/);
  assert.match(refusal(setting().start('--publish', '80:80/sctp')), /pasta does not carry sctp/);
});

void test('pasta is ended, and a process that has its number by now is left alone', () => {
  const signals: number[] = [];
  const one = setting();
  const host = Object.assign(one.host, { signal: (_: number, signal: number) => signals.push(signal) > 0 });
  assert.ok(tearDown(host, { kind: 'pasta', data: { pid: 500, startTime: '12345' } }).isOk());
  assert.deepEqual(signals, [15]);
  assert.ok(tearDown(host, { kind: 'pasta', data: { pid: 500, startTime: '999' } }).isOk());
  assert.ok(tearDown(host, { kind: 'pasta', data: { pid: 501, startTime: '1' } }).isOk());
  assert.ok(tearDown(host, { kind: 'none' }).isOk());
  assert.deepEqual(signals, [15]);
});

void test('pasta that does not end is killed, and that is an error when it still stays', () => {
  const signals: number[] = [];
  const one = setting();
  const host = Object.assign(one.host, {
    signal: (_: number, signal: number) => signals.push(signal) > 0,
    poll: () => [],
  });
  const down = tearDown(host, { kind: 'pasta', data: { pid: 500, startTime: '12345' } });
  assert.deepEqual(signals, [15, 9]);
  assert.match(down._unsafeUnwrapErr()[0]?.message ?? '', /process 500 does not end/);
});
