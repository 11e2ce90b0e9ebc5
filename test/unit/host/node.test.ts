import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HostError } from '../../../src/host/host.ts';
import { nodeHost } from '../../../src/host/node.ts';

const host = nodeHost();
const dir = mkdtempSync(join(tmpdir(), 'berth-host-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const ALL = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');

function fails(code: string, run: () => unknown): HostError {
  try {
    run();
  } catch (error) {
    assert(error instanceof HostError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  throw new Error(`did not fail with ${code}`);
}

void test('files and names keep all bytes', () => {
  host.writeFile(`${dir}/\xff\xe4`, ALL, 0o640);
  assert.equal(host.readFile(`${dir}/\xff\xe4`), ALL);
  assert.deepEqual(host.list(dir), [{ name: '\xff\xe4', kind: 'file' }]);
  assert.equal(host.unlink(`${dir}/\xff\xe4`), true);
  assert.equal(host.unlink(`${dir}/\xff\xe4`), false);
});

void test('errors name the path, the call and the code', () => {
  const error = fails('ENOENT', () => host.readFile(`${dir}/none`));
  assert.equal(error.message, `${dir}/none: no such file or directory`);
  assert.deepEqual([error.path, error.syscall, error.errno], [`${dir}/none`, 'open', 2]);
  assert.equal(host.readFileIfExists(`${dir}/none`), undefined);
  fails('ENOENT', () => host.writeFile(`${dir}/none`, ''));
  fails('EFBIG', () => host.readFile('/dev/zero', 10));
});

void test('T24 writeFileAtomic replaces by rename and leaves nothing after a failure', () => {
  host.writeFileAtomic(`${dir}/a`, 'long content', 0o600);
  host.link(`${dir}/a`, `${dir}/old`);
  host.writeFileAtomic(`${dir}/a`, 'b', 0o644);
  assert.deepEqual([host.readFile(`${dir}/a`), host.readFile(`${dir}/old`)], ['b', 'long content']);
  host.mkdirs(`${dir}/full/x`, 0o755);
  fails('EISDIR', () => host.writeFileAtomic(`${dir}/full`, '', 0o600));
  assert.deepEqual(
    host.list(dir).map(entry => entry.name),
    ['a', 'full', 'old'],
  );
  assert.equal(host.removeTree(`${dir}/full`), true);
  assert.equal(host.removeTree(`${dir}/full`), false);
});

void test('mkdir tells what was there', () => {
  assert.equal(host.mkdir(`${dir}/d`, 0o700), true);
  assert.equal(host.mkdir(`${dir}/d`, 0o700), false);
  assert.equal(host.stat(`${dir}/d`)?.mode, 0o700);
  fails('EEXIST', () => host.mkdir(`${dir}/a`, 0o700));
});

void test('stat knows devices and links', () => {
  const device = host.stat('/dev/null');
  assert.deepEqual([device?.kind, device?.rdevMajor, device?.rdevMinor], ['char', 1, 3]);
  host.symlink('a', `${dir}/link`);
  assert.deepEqual([host.stat(`${dir}/link`)?.kind, host.lstat(`${dir}/link`)?.kind], ['file', 'symlink']);
  assert.equal(host.realpath(`${dir}/link`), `${dir}/a`);
  assert.equal(host.fsType('/proc'), 0x9fa0);
});

void test('locks exclude', () => {
  const first = host.lock(`${dir}/lock`, true, false);
  assert.equal(host.lock(`${dir}/lock`, true, false), undefined);
  first?.release();
  const second = host.lock(`${dir}/lock`, false, true);
  const third = host.lock(`${dir}/lock`, false, false);
  assert(second !== undefined && third !== undefined);
  second.release();
  third.release();
});

void test('programs', () => {
  const result = host.run({
    argv: ['sh', '-c', 'cat; echo "$A"; exit 3'],
    environment: ['A=b'],
    input: 'x\n',
    stdout: 'capture',
  });
  assert.deepEqual(result, { status: 3, stdout: 'x\nb\n', stderr: '' });
  assert.equal(host.run({ argv: ['sh', '-c', 'kill -9 $$'] }).signal, 9);
  assert.equal(host.run({ argv: ['sleep', '30'], timeout: 50 }).signal, 9);
  assert.equal(host.run({ argv: ['env'], stdout: 'capture' }).stdout, '');
  fails('ENOENT', () => host.run({ argv: ['no-such-program'] }));
  assert.equal(host.startTime(process.pid) !== undefined, true);
  assert.equal(host.startTime(0), undefined);
});

void test('what Node cannot do says so', () => {
  const error = fails('ENOSYS', () => host.launch({} as never));
  assert.equal(error.message, 'launch: launch is not available in the Node half of Berth');
  fails('ENOSYS', () => host.spawn({ argv: ['true'] }));
});
