import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { HostError } from '../../../src/host/host.ts';
import { RELAY } from '../../../src/host/kernel.ts';

void test('files in memory behave as files', () => {
  const host = fakeHost({ files: { '/etc/a': '1', '/etc/d/b': '2' } });
  assert.deepEqual(host.list('/etc'), [
    { name: 'a', kind: 'file' },
    { name: 'd', kind: 'directory' },
  ]);
  assert.throws(() => host.readFile('/none'), HostError);
  assert.throws(() => host.writeFile('/none/x', '', 0o600), HostError);
  assert.throws(() => host.rmdir('/etc'), HostError);
  host.rename('/etc/d', '/etc/e');
  host.writeFileAtomic('/etc/e/c', '3', 0o600);
  assert.deepEqual(host.files.contents(), { '/etc/a': '1', '/etc/e/b': '2', '/etc/e/c': '3' });
  assert.equal(host.removeTree('/etc'), true);
  assert.deepEqual(host.files.contents(), {});
});

void test('what acts is recorded, in order', () => {
  const host = fakeHost({ run: () => ({ status: 0, stdout: 'x', stderr: '' }), directories: ['/run'] });
  host.mkdir('/run/a', 0o700);
  assert.equal(host.run({ argv: ['echo', 'x'] }).stdout, 'x');
  host.notify('READY=1\nSTATUS=x', false);
  host.write(2, 'line\n');
  assert.deepEqual(host.log, ['mkdir(/run/a)', 'run(echo x)', 'notify(READY=1 STATUS=x)']);
  assert.equal(host.written.err, 'line\n');
});

void test('locks exclude', () => {
  const host = fakeHost({ directories: ['/run'] });
  const lock = host.lock('/run/l', true, false);
  assert.equal(host.lock('/run/l', true, false), undefined);
  lock?.release();
  assert(host.lock('/run/l', true, false) !== undefined);
});

void test('a call that nobody provided for fails by name', () => {
  const host = fakeHost({ calls: { launch: () => ({ pid: 1, pidfd: 2, control: 3, status: 4 }) } });
  assert.equal(host.launch({} as never).pid, 1);
  assert.throws(() => host.relay([], [], false, RELAY.PLAIN), /the fake host has no relay/);
  assert.throws(() => host.run({ argv: ['x'] }), HostError);
});
