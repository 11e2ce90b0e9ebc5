import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, translate, valuesOf } from './translate-helpers.ts';

const IMAGE = '[Container]\nImage=localhost/i\n';

const WRONG: readonly (readonly [name: string, text: string, problem: string])[] = [
  ['unknown key', `${IMAGE}PublishPorts=1\n`, 'error 3:1 unknown-key'],
  ['bad boolean', `${IMAGE}ReadOnly=maybe\n`, 'error 3:10 boolean'],
  ['bad boolean of Notify', `${IMAGE}Notify=maybe\n`, 'error 3:8 boolean'],
  ['bad escape where an option would be lost', `${IMAGE}Secret=a\\qb\n`, 'error 3:9 quoting'],
  ['unbalanced quote where an option would be lost', `${IMAGE}DropCapability="all\n`, 'error 3:16 quoting'],
  ['bad escape in a command', `${IMAGE}Exec=server --auth="on\\d"\n`, 'error 3:23 quoting'],
  ['bad escape in a command of reload', `${IMAGE}ReloadCmd=sh -c a\\d\n`, 'error 3:18 quoting'],
  ['bad escape beside another variable', `${IMAGE}Environment=PASSWORD=a\\qb OTHER=1\n`, 'error 3:23 quoting'],
  ['open quote in a variable', `${IMAGE}Environment=TEXT=it's OTHER=1\n`, 'error 3:20 quoting'],
  ['port out of range', `${IMAGE}PublishPort=80000:80\n`, 'error 3:13 value'],
  ['port that is a word', `${IMAGE}PublishPort=http:80\n`, 'error 3:13 value'],
  ['ranges of two lengths', `${IMAGE}PublishPort=80-82:80-83\n`, 'error 3:13 value'],
  ['expose', `${IMAGE}ExposeHostPort=abc80\n`, 'error 3:16 value'],
  ['size', `${IMAGE}Memory=12x\n`, 'error 3:8 value'],
  ['duration', `${IMAGE}HealthInterval=soon\n`, 'error 3:16 value'],
  ['count', `${IMAGE}PidsLimit=many\n`, 'error 3:11 value'],
  ['signal', `${IMAGE}StopSignal=15x\n`, 'error 3:12 value'],
  ['capability', `${IMAGE}AddCapability=NET-ADMIN\n`, 'error 3:15 value'],
  ['name of the service', `${IMAGE}ServiceName=a/b\n`, 'error 3:13 unit-name'],
  ['Type=', `${IMAGE}[Service]\nType=simple\n`, 'error 4:6 type'],
  ['KillMode=', `${IMAGE}[Service]\nKillMode=none\n`, 'error 4:10 kill-mode'],
  ['missing volume', `${IMAGE}Volume=no.volume:/x\n`, 'error 3:8 reference'],
  ['missing network', `${IMAGE}Network=no.network\n`, 'error 3:9 reference'],
  ['missing dependency', `[Unit]\nAfter=no.container\n${IMAGE}`, 'error 2:7 reference'],
  ['mount without source', `${IMAGE}Mount=type=bind,destination=/x\n`, 'error 3:7 mount'],
  ['two kinds of root', `${IMAGE}Rootfs=/r\n`, 'error 2:1 conflict'],
];

for (const [name, text, problem] of WRONG) {
  test(`${name} is an error with its place, and a failing unit`, () => {
    const result = translate({ 'u.container': text }).get('u.container');
    assert.deepEqual(problemsOf(result), [problem]);
    assert.equal(result?.file, 'u.service');
    assert.match(result.text, /^ExecStart=\+\/usr\/bin\/berth generator --print-failure /m);
    assert.match(result.text, /^ExecStop=\/usr\/bin\/berth rm -v -f -i /m);
  });
}

test('all problems of a file are reported, those of the runtime keys after those of its lines', () => {
  const text = `${IMAGE}PublishPorts=1\nReadOnly=maybe\nMemory=x\nVolume=no.volume:/x\n`;
  assert.deepEqual(problemsOf(translate({ 'u.container': text }).get('u.container')), [
    'error 3:1 unknown-key',
    'error 5:8 value',
    'error 4:10 boolean',
    'error 6:8 reference',
  ]);
});

test('values that systemd expands later are not judged', () => {
  const text = `${IMAGE}PublishPort=\${PORT}:80\nMemory=%i\nContainerName=c-%i\n`;
  assert.deepEqual(problemsOf(translate({ 'u.container': text }).get('u.container')), []);
});

test('what needs a broken unit is broken too and names both; others are not affected', () => {
  const results = translate({
    'a.container': `${IMAGE}Volume=bad.volume:/x\n`,
    'bad.volume': '[Volume]\nNonsense=1\n',
    'b.container': `${IMAGE}Network=a.container\n[Container]\n`,
    'good.container': IMAGE,
  });
  assert.deepEqual(problemsOf(results.get('a.container')), ['error 3:8 failed-reference']);
  assert.match(results.get('a.container')?.unit.problems[0]?.message ?? '', /needs bad.volume/);
  assert.equal(results.get('good.container')?.failed, false);
});

test('a name that nobody knows never becomes id 0', () => {
  const results = translate({
    'a.volume': '[Volume]\nUser=nobodyy\n',
    'b.volume': '[Volume]\nUser=www-data\nGroup=11\n',
  });
  assert.deepEqual(problemsOf(results.get('a.volume')), ['error 2:6 account']);
  assert.match(results.get('b.volume')?.text ?? '', /--opt o=uid=33,gid=11 systemd-b/);
});

test('two units with one service name: the first has it, the second is named and left out', () => {
  const results = translate({ 'a.container': IMAGE, 'a.kube': '[Kube]\nYaml=/y\n' });
  assert.equal(results.get('a.container')?.file, 'a.service');
  assert.equal(results.get('a.kube')?.file, undefined);
  assert.match(results.get('a.kube')?.unit.problems[0]?.message ?? '', /already made of \/q\/a.container/);
});

test('the failing unit of a broken file keeps its links', () => {
  const result = translate({ 'u.container': `${IMAGE}Nope=1\n[Install]\nWantedBy=multi-user.target\n` }).get(
    'u.container',
  );
  assert.deepEqual(result?.links, [{ path: 'multi-user.target.wants/u.service', target: '../u.service' }]);
});

test('User= gets its directories made by root, and options that break the start are refused by name', () => {
  const account = (lines: string): string => `${IMAGE}[Service]\nUser=alice\n${lines}`;
  const fine = translate({ 'u.container': account('') }).get('u.container');
  assert.deepEqual(valuesOf(fine?.text ?? '', 'Service', 'ExecStartPre'), [
    '+/usr/bin/berth account prepare --image localhost/i alice',
  ]);
  for (const line of [
    'NoNewPrivileges=yes',
    'PrivateUsers=yes',
    'CapabilityBoundingSet=CAP_NET_ADMIN',
    'CapabilityBoundingSet=~CAP_SETUID',
    'CapabilityBoundingSet=~CAP_SYS_ADMIN',
    'RestrictNamespaces=yes',
    'RestrictNamespaces=~user',
    'PrivatePIDs=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
  ]) {
    const result = translate({ 'u.container': account(`${line}\n`) }).get('u.container');
    assert.deepEqual(
      result?.unit.problems.map(p => p.code),
      ['sandbox'],
      line,
    );
  }
  const ambient = 'NoNewPrivileges=yes\nAmbientCapabilities=CAP_SETUID CAP_SETGID\n';
  assert.deepEqual(problemsOf(translate({ 'u.container': account(ambient) }).get('u.container')), []);
  for (const line of [
    'CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_SYS_ADMIN cap_dac_override CAP_CHOWN',
    'ProtectSystem=full',
    'PrivateDevices=yes',
    'ProtectHostname=private',
    'CapabilityBoundingSet=~CAP_SYS_TIME',
    'RestrictNamespaces=no',
  ]) {
    assert.deepEqual(problemsOf(translate({ 'u.container': account(`${line}\n`) }).get('u.container')), [], line);
  }
});

test('options of [Service] that break a start of root are refused by name; under strict its directories are writable', () => {
  const root = (lines: string): ReturnType<typeof translate> =>
    translate({ 'u.container': `${IMAGE}[Service]\n${lines}\n` });
  for (const line of [
    'PrivateUsers=yes',
    'PrivateUsers=self',
    'CapabilityBoundingSet=',
    'CapabilityBoundingSet=~CAP_SYS_ADMIN',
    'RestrictNamespaces=yes',
    'SystemCallFilter=~@mount',
    'PrivatePIDs=yes',
  ]) {
    const problems = root(line).get('u.container')?.unit.problems ?? [];
    assert.deepEqual(
      problems.map(p => [p.code, p.key]),
      [['sandbox', line.split('=')[0]]],
      line,
    );
  }
  for (const line of [
    'PrivateUsers=identity',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=~CAP_NET_RAW',
    'ProtectSystem=yes',
  ]) {
    assert.deepEqual(problemsOf(root(line).get('u.container')), [], line);
  }
  const strict = root('ProtectSystem=strict').get('u.container')?.text ?? '';
  assert.deepEqual(valuesOf(strict, 'Service', 'ReadWritePaths'), ['-/run/berth -/var/lib/berth']);
});

test('in a user manager, what would keep newuidmap from working is refused by name', () => {
  const user = (lines: string): string[] =>
    (
      translate({ 'u.container': `${IMAGE}[Service]\n${lines}\n` }, { user: true }).get('u.container')?.unit.problems ??
      []
    ).map(p => `${p.code} ${p.key ?? ''}`);
  for (const line of [
    'NoNewPrivileges=yes',
    'PrivateUsers=yes',
    'PrivateUsers=identity',
    'CapabilityBoundingSet=',
    'RestrictNamespaces=yes',
    'SystemCallFilter=~@reboot',
    'SystemCallFilter=~@mount',
    'ProtectSystem=yes',
    'ProtectSystem=strict',
    'PrivateTmp=disconnected',
    'PrivateDevices=yes',
    'BindPaths=/srv',
    'LockPersonality=yes',
  ]) {
    assert.deepEqual(user(line), [`sandbox ${String(line.split('=')[0])}`], line);
  }
  for (const line of [
    'PrivateTmp=no',
    'ProtectSystem=',
    'BindPaths=/srv\nBindPaths=',
    'AmbientCapabilities=',
    'KeyringMode=private',
  ])
    assert.deepEqual(user(line), [], line);
});

test('systemd has 15 seconds more than the container to stop', () => {
  const stop = (lines: string): string[] =>
    valuesOf(
      translate({ 'u.container': `${IMAGE}${lines}` }).get('u.container')?.text ?? '',
      'Service',
      'TimeoutStopSec',
    );
  assert.deepEqual(stop(''), ['25']);
  assert.deepEqual(stop('StopTimeout=60\n'), ['75']);
  assert.deepEqual(stop('StopTimeout=-1\n'), ['infinity']);
  assert.deepEqual(stop('[Service]\nTimeoutStopSec=5\n'), ['5']);
});

test('after a silent watchdog a first process that ignores SIGABRT has its StopTimeout=, not what systemd has for a stop', () => {
  const abort = (lines: string): string[] =>
    valuesOf(
      translate({ 'u.container': `${IMAGE}${lines}` }).get('u.container')?.text ?? '',
      'Service',
      'TimeoutAbortSec',
    );
  assert.deepEqual(abort('[Service]\nWatchdogSec=30\n'), ['10']);
  assert.deepEqual(abort('StopTimeout=0\n[Service]\nWatchdogSec=30\n'), ['1']);
  assert.deepEqual(abort('[Service]\nWatchdogSec=30\nTimeoutAbortSec=3\n'), ['3']);
  assert.deepEqual(abort('[Service]\nWatchdogSec=30\nTimeoutStopSec=3\n'), []);
  assert.deepEqual(abort(''), []);
});

test('empty words and lone semicolons reach the payload', () => {
  const text = `${IMAGE}Exec=find / -exec true ";" "" x\n`;
  const line = valuesOf(translate({ 'u.container': text }).get('u.container')?.text ?? '', 'Service', 'ExecStart')[0];
  assert.match(line ?? '', /localhost\/i find \/ -exec true ";" "" x$/);
});

test('an instance file of a volume has the whole instance in its name', () => {
  const results = translate({ 'foo@bar.volume': '[Volume]\n', 'c.container': `${IMAGE}Volume=foo@bar.volume:/x\n` });
  assert.match(results.get('foo@bar.volume')?.text ?? '', /volume create --ignore systemd-foo-bar$/m);
  assert.match(results.get('c.container')?.text ?? '', /-v systemd-foo-bar:\/x/);
  assert.match(results.get('c.container')?.text ?? '', /^Requires=foo-volume@bar.service$/m);
});

test('T20: a container name that the start will refuse is named already here', () => {
  const result = translate({ 'u.container': `${IMAGE}ContainerName=../x\n` }).get('u.container');
  assert.deepEqual(problemsOf(result), ['warning 3:15 value']);
});
