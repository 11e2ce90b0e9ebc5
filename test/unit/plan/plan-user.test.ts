import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlanFacts } from '../../../src/plan/types.ts';
import { problems } from './helpers.ts';
import { accountFacts, plan, refusals, rootFacts } from './plan-helpers.ts';

type Options = readonly (readonly [string, string])[];

test('T12: users and groups of the image', () => {
  const user = (text: string, more: Options = []) => {
    const made = plan([['user', text], ...more]).spec.process?.user;
    return [made?.uid, made?.gid, made?.additionalGids];
  };
  assert.deepEqual(user('www'), [33, 33, [33, 29]]);
  assert.deepEqual(user('33'), [33, 33, [33, 29]]);
  assert.deepEqual(user('www:audio'), [33, 29, [29]]);
  assert.deepEqual(user('1234'), [1234, 0, [0]]);
  assert.deepEqual(user('1234:5'), [1234, 5, [5]]);
  assert.deepEqual(user(':audio'), [0, 29, [29]]);
  assert.deepEqual(user('www', [['group-add', 'adm,77']]), [33, 33, [33, 29, 4, 77]]);
  const none = plan([['user', 'www']], rootFacts({ passwd: 'www:x:33:33::/:', group: '' })).spec.process?.user;
  assert.deepEqual(none?.additionalGids, [33]);
  assert.match(refusals([['user', 'nobody-here']])[0] ?? '', /there is no such user/);
  assert.match(refusals([['user', 'www:nothing']])[0] ?? '', /there is no group nothing/);
  assert.match(refusals([['group-add', 'nothing']])[0] ?? '', /there is no such group/);
  assert.match(refusals([], rootFacts(), { user: 'ghost' })[0] ?? '', /the image's user ghost: there is no such user/);
});

test('keep-groups is explicit', () => {
  assert.equal(plan([['group-add', 'keep-groups']]).spec.annotations?.['run.oci.keep_original_groups'], '1');
  assert.equal(plan([]).spec.annotations?.['run.oci.keep_original_groups'], undefined);
});

test('environment: defaults, image, request', () => {
  const config = { environment: ['PATH=/image', 'A=image', 'B=image'] };
  const env = (options: Options) =>
    plan(options, rootFacts({ proxyEnvironment: ['http_proxy=p', 'A=proxy'] }), config).spec.process?.env;
  assert.deepEqual(env([['env', 'B=mine']]), [
    'PATH=/image',
    'container=berth',
    'A=proxy',
    'B=mine',
    'HOME=/root',
    'HOSTNAME=c1',
    'http_proxy=p',
  ]);
  assert.deepEqual(
    env([
      ['unsetenv-all', 'true'],
      ['http-proxy', 'false'],
      ['env', 'X=1'],
    ]),
    ['HOME=/root', 'HOSTNAME=c1', 'X=1'],
  );
});

test("--env-merge fills in the image's variables, one after the other, before --env and --unsetenv", () => {
  const merged = (...words: string[]) =>
    plan([...words.map(word => ['env-merge', word] as const), ['env', 'E=over'], ['unsetenv', 'GONE']], rootFacts(), {
      environment: ['PATH=/bin', 'HELLO=world', 'E=x'],
    }).spec.process?.env?.filter(entry => !/^(PATH|container|HOME|HOSTNAME)=/.test(entry));
  assert.deepEqual(merged('HELLO=${HELLO}-some', 'Z=a-$HELLO-$PATH', 'CHAIN=$Z', 'GONE=1'), [
    'HELLO=world-some',
    'E=over',
    'Z=a-world-some-/bin',
    'CHAIN=a-world-some-/bin',
  ]);
  assert.deepEqual(
    merged(`Q='$HELLO' "\${HELLO}" \\$HELLO`, 'D=${no:-def}${HELLO:+alt}${no}', 'EQ=a=$HELLO', 'E=y$E', '$HELLO=5'),
    ['HELLO=world', 'E=over', 'Q=$HELLO world $HELLO', 'D=defalt', 'EQ=a=world', 'world=5'],
  );
  assert.deepEqual(merged('N=${no:-${HELLO}}.$', 'P=$1.'), ['HELLO=world', 'E=over', 'N=world.$', 'P=.']);
  for (const wrong of ['A=x${HELLO', 'A="x', "A='x", 'A=${HELLO?err}', 'A=${}'])
    assert.match(refusals([['env-merge', wrong]])[0] ?? '', /--env-merge .*: a quote or brace is open/);
  assert.match(problems([['env-merge', 'HELLO']])[0] ?? '', /--env-merge HELLO: the value is missing/);
});

test('T35: nothing of the unit passes but the sockets and our own notification socket', () => {
  const facts = rootFacts({ notifySocket: true, watchdog: '5', listen: { count: 1, names: '' } });
  const names = (plan([['sdnotify', 'conmon']], facts).spec.process?.env ?? []).map(entry => entry.split('=')[0]);
  assert.deepEqual(names, ['PATH', 'container', 'HOME', 'HOSTNAME', 'NOTIFY_SOCKET', 'LISTEN_FDS', 'LISTEN_PID']);
});

test('limits of the process', () => {
  const limits = (options: Options, facts?: PlanFacts) =>
    Object.fromEntries((plan(options, facts).spec.process?.rlimits ?? []).map(l => [l.type, [l.soft, l.hard]]));
  assert.deepEqual(limits([['ulimit', 'host']]), {});
  assert.deepEqual(limits([['ulimit', 'nofile=10:20']])['RLIMIT_NOFILE'], [10, 20]);
  assert.deepEqual(limits([['ulimit', 'nofile=-1']])['RLIMIT_NOFILE'], [524288, 524288]);
  assert.deepEqual(limits([['ulimit', 'core=-1']], accountFacts())['RLIMIT_CORE'], ['unlimited', 'unlimited']);
  assert.match(
    refusals([['ulimit', 'nproc=8000']], accountFacts())[0] ?? '',
    /above the hard limit 7000 of this account/,
  );
});

test('a user that the image does not know gets a name', () => {
  const made = (options: Options, facts?: PlanFacts) =>
    plan(options, facts).files.map(file => [file.name, file.text.split('\n').at(-2)]);
  assert.deepEqual(made([]), []);
  assert.deepEqual(made([['user', 'www']]), []);
  assert.deepEqual(made([['user', '1234:5']]), [
    ['passwd', '1234:*:1234:5:container user:/:/bin/sh'],
    ['group', '5:x:5:1234'],
  ]);
  const home = [
    ['user', '1234'],
    ['workdir', '/srv'],
  ] as const;
  assert.deepEqual(made(home)[0], ['passwd', '1234:*:1234:0:container user:/srv:/bin/sh']);
  assert.equal(plan(home).spec.process?.env?.includes('HOME=/srv'), true);
  assert.deepEqual(made([home[0], ['workdir', '/a:b']])[0], ['passwd', '1234:*:1234:0:container user:/:/bin/sh']);
  assert.deepEqual(made([['user', 'www:5']]), [['group', '5:x:5:www']]);
  assert.deepEqual(made([['userns', 'keep-id']], accountFacts())[0], [
    'passwd',
    'alice:*:1000:1000:container user:/:/bin/sh',
  ]);
  assert.deepEqual(
    made([
      ['user', '1234'],
      ['passwd', 'false'],
    ]),
    [],
  );
  assert.deepEqual(made([['user', '1234']], rootFacts({ passwd: '', group: '' })), []);
  assert.equal(
    plan([['user', '1234']]).spec.mounts?.some(one => one.destination === '/etc/passwd'),
    true,
  );
});

test('lines of --passwd-entry and --group-entry, and users of the host', () => {
  const HOSTY = { name: 'hosty', uid: 4321, gid: 4321, fullName: 'Full Name', home: '/home/hosty' };
  const added = (options: Options, facts = rootFacts()) =>
    plan(options, facts).files.map(file =>
      file.text
        .split('\n')
        .slice(file.name === 'passwd' ? 3 : 5, -1)
        .join('|'),
    );
  const user = ['user', '1234:99'] as const;
  const entry = ['passwd-entry', '$USERNAME:x:$UID:$GID:hi $NAME:$HOME:/bin/ash ${UID}'] as const;
  assert.deepEqual(added([user, entry]), ['1234:x:1234:99:hi container user:/:/bin/ash ${UID}', '99:x:99:1234']);
  assert.deepEqual(added([user, ['group-entry', 'foo:x:$GID:$GROUPNAME,$USERLIST']]), [
    '1234:*:1234:99:container user:/:/bin/sh',
    'foo:x:99:99,1234',
  ]);
  assert.deepEqual(added([entry]), []);
  assert.deepEqual(added([user, ['passwd', 'false'], entry]), []);
  const facts = rootFacts({ hostUsers: [HOSTY, { ...HOSTY, name: 'www' }, { ...HOSTY, name: 'other', uid: 33 }] });
  assert.deepEqual(added([], facts), ['hosty:*:4321:4321:Full Name:/:/bin/sh']);
  assert.deepEqual(added([['tmpfs', '/home']], facts), ['hosty:*:4321:4321:Full Name:/home/hosty:/bin/sh']);
  assert.deepEqual(plan([['user', 'hosty']], facts).spec.process?.user.uid, 4321);
  assert.deepEqual(
    added([['user', '7']], facts)[0],
    'hosty:*:4321:4321:Full Name:/:/bin/sh|7:*:7:0:container user:/:/bin/sh',
  );
  assert.deepEqual(added([['passwd', 'false']], facts), []);
});
