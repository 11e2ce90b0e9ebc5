import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinData, parseMountOptions } from '../../../src/ops/mount-options.ts';
import { capabilityMask, limitNumber, limitValue } from '../../../src/ops/tables.ts';

test('words go where they belong', () => {
  assert.deepEqual(parseMountOptions(['nosuid', 'noexec', 'nodev', 'ro', 'mode=755', 'size=64k', 'defaults']), {
    words: ['nosuid', 'noexec', 'nodev', 'ro'],
    data: ['mode=755', 'size=64k'],
    bind: false,
    recursive: false,
    copyUp: false,
    readOnly: true,
    idmap: false,
  });
  assert.deepEqual(parseMountOptions(['rbind', 'rprivate', 'tmpcopyup', 'idmap']), {
    words: ['rprivate'],
    data: [],
    bind: true,
    recursive: true,
    copyUp: true,
    readOnly: false,
    idmap: true,
  });
});

test('the last of a word and its opposite wins', () => {
  const words = (...options: string[]): readonly string[] => parseMountOptions(options).words;
  assert.deepEqual(words('ro', 'rw'), ['rw']);
  assert.deepEqual(words('rw', 'nosuid', 'ro'), ['nosuid', 'ro']);
  assert.deepEqual(words('relatime', 'noatime'), ['noatime']);
  assert.deepEqual(words('slave', 'rshared', 'private'), ['private']);
  assert.deepEqual(words('rro', 'rrw', 'ro'), ['rrw', 'ro']);
  assert.equal(parseMountOptions(['ro', 'rw']).readOnly, false);
});

/** https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config.md#linux-mount-options */
test('every option of the specification is known', () => {
  const specification =
    'async atime bind defaults dev diratime exec iversion loud nodev noatime nodiratime noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow tmpcopyup unbindable idmap ridmap mand remount';
  for (const word of specification.split(' ')) assert.deepEqual(parseMountOptions([word]).data, [], word);
  for (const word of ['sync', 'dirsync', 'lazytime']) assert.deepEqual(parseMountOptions([word]).data, [word]);
});

test('a comma inside an option is escaped', () => {
  assert.equal(joinData(['a=1', 'context=s0:c1,c2', 'b=\\x']), 'a=1,context=s0:c1\\,c2,b=\\\\x');
});

test('names become numbers', () => {
  assert.equal(capabilityMask(undefined), '0');
  assert.equal(capabilityMask(['CAP_CHOWN']), '1');
  assert.equal(capabilityMask(['CAP_AUDIT_CONTROL', 'CAP_SETFCAP', 'CAP_MAC_OVERRIDE']), '1c0000000');
  assert.equal(capabilityMask(['CAP_CHECKPOINT_RESTORE', 'CAP_NO_SUCH']), '10000000000');
  assert.equal(limitNumber('RLIMIT_NOFILE'), 7);
  assert.equal(limitNumber('RLIMIT_RTTIME'), 15);
  assert.equal(limitNumber('RLIMIT_X'), undefined);
  assert.equal(limitValue(1024), '1024');
  assert.equal(limitValue('18446744073709551615'), 'unlimited');
  assert.equal(limitValue(2 ** 64), 'unlimited');
  assert.equal(limitValue(-1), 'unlimited');
});
