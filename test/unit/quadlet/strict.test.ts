import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, translate } from './translate-helpers.ts';

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
