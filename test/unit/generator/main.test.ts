import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlags } from '../../../generator/flags.ts';
import { main } from '../../../generator/main.ts';
import { fakeHost } from '../../../src/host/fake.ts';
import { HostError } from '../../../src/host/host.ts';

const UNIT = '/etc/containers/systemd/a.container';

test('flags have one or two dashes, and may have a value', () => {
  for (const words of [['-user'], ['--user'], ['-user=true'], ['--user=1']]) {
    const flags = parseFlags([...words, 'out']);
    assert.ok(typeof flags !== 'string' && flags.user, words.join(' '));
    assert.deepEqual(flags.operands, ['out']);
  }
  const off = parseFlags(['-user', '-user=false', '-dryrun']);
  assert.ok(typeof off !== 'string' && !off.user && off.dryRun && off.noKmsg && off.verbose);
  assert.equal(parseFlags(['-nope']), 'flag provided but not defined: -nope');
  assert.equal(parseFlags(['-user=perhaps']), 'invalid boolean value "perhaps" for -user');
});

test('messages go to the kernel log, each as one record with its priority', () => {
  const records: string[] = [];
  const host = fakeHost({
    files: { [UNIT]: '[Container]\nImage=localhost/a\nNope=a\x1b[31mb\n' },
    argv: ['/usr/lib/systemd/system-generators/berth-system-generator', '/out', '/early', '/late'],
    calls: {
      writeFile: (path, data) => {
        if (path === '/dev/kmsg') records.push(data);
      },
      rename: () => undefined,
      realpath: path => (path === '/etc/containers/systemd' ? path : undefined),
    },
  });
  assert.equal(main(host), 1);
  assert.deepEqual(
    records.map(one => one.slice(0, 27)),
    ['<3>quadlet-generator[4242]:', '<3>quadlet-generator[4242]:'],
  );
  assert.match(records[0] ?? '', /^[^\n\x1b]*unsupported key 'Nope'[^\n\x1b]*\n$/);
  assert.equal(host.written.err, '');
});

test('without a kernel log messages go to standard error', () => {
  const host = fakeHost({
    files: { [UNIT]: '[Container]\n' },
    argv: ['berth', 'generator', '/out'],
    calls: {
      writeFile: path => {
        if (path === '/dev/kmsg') throw new HostError('open', 'ENOENT', 2, 'No such file or directory', path);
      },
      rename: () => undefined,
      realpath: path => (path === '/etc/containers/systemd' ? path : undefined),
    },
  });
  assert.equal(main(host), 1);
  assert.match(host.written.err, /converting "a.container": no Image or Rootfs key specified/);
});

test('a directory that cannot be written is an error, and the rest is still tried', () => {
  const host = fakeHost({
    files: { [UNIT]: '[Container]\nImage=localhost/a\n' },
    argv: ['berth', 'generator', '-no-kmsg-log', '/out'],
    calls: {
      writeFile: path => {
        throw new HostError('open', 'ENOSPC', 28, 'No space left on device', path);
      },
      realpath: path => (path === '/etc/containers/systemd' ? path : undefined),
    },
  });
  assert.equal(main(host), 1);
  assert.match(host.written.err, /a.container: \/out\/a.service: No space left on device/);
});

test('the failing unit prints its lines and ends with EX_CONFIG', () => {
  const host = fakeHost({ argv: ['berth', 'generator', '--print-failure', 'one', '-two'] });
  assert.equal(main(host), 78);
  assert.equal(host.written.err, 'one\n-two\n');
});

test('the output is the same bytes every time, whatever the order of the files', () => {
  const files = {
    '/etc/containers/systemd/b.container': '[Container]\nImage=localhost/b\nEnvironment=Z=1 A=2\n',
    [UNIT]: '[Container]\nImage=localhost/a\n',
  };
  const once = (): string => {
    const host = fakeHost({
      files,
      argv: ['berth', 'generator', '-dryrun'],
      calls: { realpath: path => (path === '/etc/containers/systemd' ? path : undefined) },
    });
    assert.equal(main(host), 0);
    return host.written.out;
  };
  assert.equal(once(), once());
  assert.ok(once().indexOf('---a.service---') < once().indexOf('---b.service---'));
});
