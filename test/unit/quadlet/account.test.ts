import assert from 'node:assert/strict';
import test from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { accountLookup } from '../../../src/quadlet/accounts.ts';
import { problemsOf, translate, valuesOf } from './translate-helpers.ts';

const IMAGE = '[Container]\nImage=localhost/i\n';
const namespaceOf = (files: Record<string, string>, user: boolean): string[] => {
  const made = translate(files, { user, account: (_, name) => (name === 'alice' ? 1000 : undefined) });
  const text = (made.get('u.container') ?? made.get('u.pod'))?.text ?? '';
  const units = valuesOf(text, 'Unit', 'PartOf');
  const named = (key: string): string[] => valuesOf(text, 'Unit', key).flatMap(value => value.split(' '));
  for (const key of ['Wants', 'After'])
    assert.deepEqual(
      named(key).filter(one => one.startsWith('berth-netns')),
      units,
      key,
    );
  assert.deepEqual(valuesOf(text, 'Unit', 'Requires'), []);
  return units;
};

test("containers and pods in networks of an account want the unit of that account's namespace, and start after it", () => {
  const units: [text: string, user: boolean, wanted: string[]][] = [
    [`${IMAGE}Network=blue\n`, true, ['berth-netns.service']],
    [`${IMAGE}Network=bridge:ip=10.0.0.9\n`, true, ['berth-netns.service']],
    [`${IMAGE}PodmanArgs=--network blue\n`, true, ['berth-netns.service']],
    [`${IMAGE}PodmanArgs=--net=blue\n`, true, ['berth-netns.service']],
    [IMAGE, true, []],
    [`${IMAGE}Network=pasta\n`, true, []],
    [`${IMAGE}Network=blue\n`, false, []],
    [`${IMAGE}Network=blue\n[Service]\nUser=alice\n`, false, ['berth-netns@1000.service']],
    [`${IMAGE}Network=blue\n[Service]\nUser=1000\n`, false, ['berth-netns@1000.service']],
    [`${IMAGE}Network=blue\n[Service]\nUser=ldap\n`, false, ['berth-netns@ldap.service']],
    [`${IMAGE}Network=blue\n[Service]\nUser=root\n`, false, []],
  ];
  for (const [text, user, wanted] of units) assert.deepEqual(namespaceOf({ 'u.container': text }, user), wanted, text);
  assert.deepEqual(namespaceOf({ 'u.container': `[Unit]\nAfter=\n${IMAGE}Network=blue\n` }, true), [
    'berth-netns.service',
  ]);
  assert.deepEqual(namespaceOf({ 'u.pod': '[Pod]\nNetwork=blue\n' }, true), ['berth-netns.service']);
});

test('a .network belongs to the account of the containers in it', () => {
  const container = `${IMAGE}Network=n.network\n[Service]\nUser=alice\n`;
  const wrong = translate({ 'n.network': '[Network]\n', 'u.container': container }).get('u.container');
  assert.deepEqual(problemsOf(wrong), ['error 3:9 account']);
  const right = translate({ 'n.network': '[Network]\n[Service]\nUser=alice\n', 'u.container': container });
  assert.deepEqual(problemsOf(right.get('u.container')), []);
  const made = right.get('n.network')?.text ?? '';
  assert.deepEqual(valuesOf(made, 'Service', 'ExecStartPre'), ['+/usr/bin/berth account prepare alice']);
  // By its number as by its name.
  const files = { 'n.network': '[Network]\n[Service]\nUser=1000\n', 'u.container': container };
  const same = translate(files, { account: (_, name) => (name === 'alice' ? 1000 : undefined) });
  assert.deepEqual(problemsOf(same.get('u.container')), []);
  assert.deepEqual(problemsOf(translate(files).get('u.container')), ['error 3:9 account']);
});

const DIRECTORIES = '+/usr/bin/berth account prepare alice';
const HANDED = '+/usr/bin/berth account prepare --image localhost/i alice';
const preparedBy = (text: string, name = 'u.container'): string[] =>
  valuesOf(translate({ [name]: text }).get(name)?.text ?? '', 'Service', 'ExecStartPre');

test("the account's directories are there before the unit's own commands run, and the image is looked for after them", () => {
  const unit = `${IMAGE}[Service]\nUser=alice\n`;
  assert.deepEqual(preparedBy(unit), [HANDED]);
  assert.deepEqual(preparedBy(`${unit}ExecStartPre=a\nExecStartPre=b\n`), [DIRECTORIES, 'a', 'b', HANDED]);
  assert.deepEqual(preparedBy(`[Service]\nExecStartPre=a \\\n  b\nUser=alice\n${IMAGE}`), [
    DIRECTORIES,
    'a \\',
    HANDED,
  ]);
  assert.deepEqual(preparedBy(`${unit}ExecStartPre=a\nExecStartPre=\nExecStartPre=b\n`), [
    'a',
    '',
    DIRECTORIES,
    'b',
    HANDED,
  ]);
  assert.deepEqual(preparedBy(`${unit}ExecStartPre=a\nExecStartPre=\n`), ['a', '', HANDED]);
  assert.deepEqual(preparedBy(`${IMAGE}[Service]\nExecStartPre=a\n`), ['a']);
});

test('whatever makes something for an account has its directories', () => {
  const units = {
    'u.volume': '[Volume]\n',
    'u.network': '[Network]\n',
    'u.image': '[Image]\nImage=localhost/i\n',
    'u.artifact': '[Artifact]\nArtifact=localhost/a\n',
    'u.build': '[Build]\nImageTag=localhost/i\nFile=/f\n',
    'u.kube': '[Kube]\nYaml=/f\n',
  };
  for (const [name, text] of Object.entries(units)) {
    assert.deepEqual(preparedBy(`${text}[Service]\nUser=alice\n`, name), [DIRECTORIES], name);
    assert.deepEqual(preparedBy(`${text}[Service]\nUser=alice\nExecStartPre=a\n`, name), [DIRECTORIES, 'a'], name);
    assert.deepEqual(preparedBy(text, name), [], name);
  }
});

test('what a directory service may know is asked for when the unit starts', () => {
  const known = (nsswitch: string, records: readonly string[] = []): ReturnType<typeof accountLookup> => {
    const files = Object.fromEntries(records.map(path => [path, '{}']));
    return accountLookup(
      fakeHost({ files: { ...files, '/etc/nsswitch.conf': nsswitch, '/etc/passwd': 'a:x:7:7::/:' } }),
    );
  };
  const ldap = known('passwd: files systemd sss # all\ngroup: files\n');
  assert.deepEqual(
    [ldap('user', 'a'), ldap('user', 'lena'), ldap('user', '9'), ldap('group', 'lena')],
    [7, 'later', undefined, undefined],
  );
  const records = known('passwd:\tfiles systemd [!UNAVAIL=return]\n', ['/run/userdb/lena.user']);
  assert.deepEqual(
    [records('user', 'lena'), records('user', 'lana'), records('user', '../x')],
    ['later', undefined, undefined],
  );
  assert.equal(known('', ['/run/userdb/lena.user'])('user', 'lena'), undefined);

  const files = {
    'v.volume': '[Volume]\nUser=lena\nGroup=lena\n',
    'c.container': `${IMAGE}Nope=1\n[Service]\nUser=lena\n`,
  };
  const made = translate(files, { account: () => 'later' });
  assert.match(made.get('v.volume')?.text ?? '', /--opt o=uid=lena,gid=lena systemd-v/);
  assert.match(made.get('v.volume')?.text ?? '', /^After=nss-user-lookup\.target$/m);
  // With an account that turns out to be unknown, systemd would end before it says what is wrong with the file.
  assert.doesNotMatch(made.get('c.container')?.text ?? '', /^User=/m);
});
