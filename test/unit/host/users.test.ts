import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { findGroup, findUser } from '../../../src/host/users.ts';

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

void test('accounts of a directory service, which glibc alone asks', () => {
  const asked: string[] = [];
  const host = (passwd: string): ReturnType<typeof fakeHost> =>
    fakeHost({
      files: { '/etc/nsswitch.conf': `passwd: ${passwd}\ngroup: ${passwd}\n`, '/etc/group': 'own:x:5:\n' },
      run: ({ argv }) => {
        asked.push(argv.join(' '));
        const known = argv[3] === 'lena' || argv[3] === '30044';
        return { status: known ? 0 : 2, stdout: known ? (ANSWERS[argv[1] ?? ''] ?? '') : '', stderr: '' };
      },
    });
  const lena = { name: 'lena', uid: 30044, gid: 30045, home: '/home/lena', fullName: 'Lena' };
  const ldap = host('files [NOTFOUND=continue] ldap');
  assert.deepEqual(
    [findUser(ldap, 'lena'), findUser(ldap, '30044'), findUser(ldap, 'nobody')],
    [lena, lena, undefined],
  );
  assert.deepEqual(
    ['own', 'lena', 'nobody'].map(name => findGroup(ldap, name)),
    [5, 30045, undefined],
  );
  assert.deepEqual(asked[0], 'getent passwd -- lena');
  asked.length = 0;
  assert.equal(findUser(host('files'), 'lena'), undefined);
  assert.deepEqual(asked, []);
});

const ANSWERS: Readonly<Record<string, string>> = {
  passwd: 'lena:x:30044:30045:Lena:/home/lena:/bin/sh\n',
  group: 'lena:x:30045:\n',
};
