import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { findUser } from '../../../src/host/users.ts';

void test('accounts of passwd(5), by name and by number; a line without a number is none, as for libc', () => {
  const lines = [
    'root:x:0:0::/root:/bin/sh',
    'svc:x:990:991:Full Name,Room 1:/srv:/bin/false',
    'odd:x:::::',
    'more:x:+5:5::/:',
    'short:x:1',
  ];
  const host = fakeHost({ files: { '/etc/passwd': `${lines.join('\n')}\n` } });
  const svc = { name: 'svc', uid: 990, gid: 991, home: '/srv', fullName: 'Full Name' };
  assert.deepEqual([findUser(host, 'svc'), findUser(host, '990')], [svc, svc]);
  for (const word of ['odd', '', 'more', '5', 'short', '1', 'nobody'])
    assert.equal(findUser(host, word), undefined, word);
});
