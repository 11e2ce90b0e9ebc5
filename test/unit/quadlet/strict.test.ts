import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, translate, valuesOf } from './translate-helpers.ts';

const IMAGE = '[Container]\nImage=localhost/i\n';

test('where no failing units are wanted, a bad escape is a warning and leaves that assignment out, and an open quote ends there', () => {
  const text = `${IMAGE}Label=a=\\q\nLabel=b=1\nExec=sh "a b\n`;
  const result = translate({ 'u.container': text }, { asPeer: true }).get('u.container');
  assert.deepEqual(problemsOf(result), ['warning 3:9 quoting', 'warning 5:9 quoting']);
  assert.match(result?.text ?? '', /^ExecStart=.* --label b=1 localhost\/i sh "a b"$/m);
  assert.doesNotMatch(result?.text ?? '', /ExecStart=.*a=/);
  assert.equal(translate({ 'u.container': text }).get('u.container')?.failed, true);
});

test('a letter for yes or no is an error: the peer reads y and t as false, systemd as true', () => {
  for (const letter of ['y', 't', 'n', 'f', 'Y', 'T']) {
    const text = `${IMAGE}SecurityLabelDisable=${letter}\nNotify=${letter}\n[Quadlet]\nDefaultDependencies=${letter}\n`;
    const problems = translate({ 'u.container': text }).get('u.container')?.unit.problems ?? [];
    assert.deepEqual(problems.map(p => p.key).sort(), ['DefaultDependencies', 'Notify', 'SecurityLabelDisable']);
    assert.ok(problems.every(p => p.code === 'boolean' && p.severity === 'error' && p.hint?.startsWith('write yes')));
  }
  const text = `${IMAGE}ReadOnly=1\nRunInit=0\n[Service]\nSendSIGHUP=y\n`;
  assert.deepEqual(problemsOf(translate({ 'u.container': text }).get('u.container')), []);
});

test('several values with commas, where the option takes them', () => {
  const lines = [
    'AddCapability=NET_ADMIN,CAP_SYS_TIME',
    'DropCapability=net_raw,chown',
    'PublishPort=80:80,127.0.0.1:443:443/tcp',
  ];
  const fine = translate({ 'u.container': `${IMAGE}${lines.join('\n')}\nExposeHostPort=80,81-82/udp\n` }).get(
    'u.container',
  );
  assert.deepEqual(problemsOf(fine), []);
  assert.match(fine?.text ?? '', /--cap-drop net_raw,chown --cap-add net_admin,cap_sys_time --expose 80,81-82\/udp /);
  for (const line of ['AddCapability=a,B-C', 'PublishPort=80:80,', 'PublishPort=80:80,99999:1', 'ExposeHostPort=80,x'])
    assert.match(
      problemsOf(translate({ 'u.container': `${IMAGE}${line}\n` }).get('u.container')).join(),
      /^error 3:[0-9]+ value$/,
    );
});

test('whether an optional device exists is asked by the start, but where the peer is followed', () => {
  const text = `${IMAGE}AddDevice=/dev/fuse -/dev/ttyUSB0:/dev/tty0 -/dev/none\n`;
  const line = (asPeer: boolean): string => {
    const setting = { asPeer, exists: (path: string) => path === '/dev/ttyUSB0' };
    const result = translate({ 'u.container': text }, setting).get('u.container');
    return / (--device.*) localhost\/i$/m.exec(result?.text ?? '')?.[1] ?? '';
  };
  assert.equal(line(false), '--device /dev/fuse --device=-/dev/ttyUSB0:/dev/tty0 --device=-/dev/none');
  assert.equal(line(true), '--device /dev/fuse --device /dev/ttyUSB0:/dev/tty0');
});

test('a failing unit keeps the account that is known: with another systemd would end before it says why', () => {
  const kept = (lines: string): string[] => {
    const text = translate({ 'u.container': `${IMAGE}Nope=1\n[Service]\n${lines}` }).get('u.container')?.text ?? '';
    return [...valuesOf(text, 'Service', 'User'), ...valuesOf(text, 'Service', 'Group')];
  };
  assert.deepEqual(kept('User=www-data\nGroup=www-data\n'), ['www-data', 'www-data']);
  assert.deepEqual(kept('User=nobodyy\nGroup=www-data\n'), ['www-data']);
  assert.deepEqual(kept('User=%i\n'), []);
});

test('a failing unit of a pod stops the pod that runs', () => {
  const text = '[Pod]\nPodName=p\nStopTimeout=3\nNope=1\n[Service]\nUser=www-data\n';
  const member = `${IMAGE}Pod=u.pod\n`;
  const made = translate({ 'u.pod': text, 'm.container': member }).get('u.pod')?.text ?? '';
  assert.deepEqual(valuesOf(made, 'Unit', 'PropagatesStopTo'), ['m.service']);
  assert.deepEqual(valuesOf(made, 'Unit', 'Before'), ['m.service']);
  assert.deepEqual(valuesOf(made, 'Service', 'Environment'), ['PODMAN_SYSTEMD_UNIT=%n']);
  assert.deepEqual(valuesOf(made, 'Service', 'ExecStop'), ['/usr/bin/berth pod stop --ignore --time=3 p']);
  assert.deepEqual(valuesOf(made, 'Service', 'ExecStopPost'), ['/usr/bin/berth pod rm --ignore --force p']);
  assert.deepEqual(valuesOf(made, 'Service', 'PIDFile'), ['%t/berth-%N/%N.pid']);
  assert.deepEqual(valuesOf(made, 'Service', 'RuntimeDirectory'), ['berth-%N']);
  assert.deepEqual(valuesOf(made, 'Service', 'User'), ['www-data']);
  assert.deepEqual(valuesOf(made, 'Service', 'KillMode'), []);
});

test('links of [Install] that systemd passes over are named', () => {
  const told = (name: string, lines: string, more: Record<string, string> = {}): string[] =>
    problemsOf(translate({ [name]: `${IMAGE}[Install]\n${lines}\n`, ...more }).get(name));
  for (const line of [
    'WantedBy=multi-user',
    'WantedBy=multi-user.target,graphical.target',
    'RequiredBy=default.traget',
    'UpheldBy=@.target',
    'WantedBy=%i.target',
  ])
    assert.deepEqual(told('u.container', line), [`warning 4:${line.indexOf('=') + 2} install`], line);
  assert.deepEqual(told('u.container', 'WantedBy=multi-user.target web.service a@b.target\nUpheldBy=x.timer'), []);
  assert.deepEqual(told('u.container', 'Alias=web'), ['warning 4:7 install']);
  assert.deepEqual(told('u.container', 'Alias=self.timer in/web.service'), ['warning 4:7 install']);
  assert.deepEqual(told('u.container', 'Also=b.service\nWantedBy=multi-user.target'), ['warning 4:6 install']);
  assert.deepEqual(told('u@.container', 'WantedBy=multi-user.target\nRequiredBy=a.target'), ['warning 4:10 install']);
  assert.deepEqual(told('u@.container', 'WantedBy=multi-user.target', { 'u@one.container': IMAGE }), []);
  assert.deepEqual(told('u@.container', 'WantedBy=default.target\nDefaultInstance=a/b'), ['warning 5:17 install']);
  assert.deepEqual(told('u@.container', 'WantedBy=default.target\nDefaultInstance=a'), []);
  assert.deepEqual(told('u@.container', 'Alias=w@.service'), []);
});

test('what neither systemd nor the kernel takes for its length is an error', () => {
  let letter = 'x';
  const said = (...values: number[]): string[] =>
    problemsOf(
      translate({ 'a.container': IMAGE + values.map((n, i) => `Label=${i}=${letter.repeat(n)}\n`).join('') }).get(
        'a.container',
      ),
    );
  assert.deepEqual(said(131069, 131069, 131069), []);
  assert.deepEqual(said(131070), ['error 0:0 long-line']);
  assert.deepEqual(said(600000, 600000), ['error 0:0 long-line']);
  // systemd reads two as one.
  letter = '$';
  assert.deepEqual(said(262136), []);
  assert.deepEqual(said(262142), ['error 0:0 long-line']);
});
