import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkTo, startTransientService } from '../../../src/systemd/transient.ts';
import { BusError, busPath } from '../../../src/systemd/wire.ts';
import { answer, changed, manager, message, refusal, removed } from './fake-manager.ts';

void test('root speaks to the private socket: no bus daemon, no destination, no subscription', () => {
  const one = manager(answer(1, 'o', ['/job/5']) + removed('/job/5', 'done'));
  const link = linkTo(one.host, 'system');
  const wait = link.beginScope('a.scope', { description: 'd', pids: [4242, 4243] });
  wait();
  link.close();
  assert.deepEqual(one.tried, ['/run/systemd/private']);
  assert.equal(one.sent[0], '\0AUTH EXTERNAL 30\r\nBEGIN\r\n');
  assert.equal(one.sent.length, 2);
  assert.match(one.sent[1] ?? '', /StartTransientUnit/);
  assert.equal(one.closed(), 1);
});

void test('a scope that has a weight is not delegated', () => {
  const sentFor = (wish: { weight?: number }): string => {
    const one = manager(answer(1, 'o', ['/job/5']) + removed('/job/5', 'done'));
    linkTo(one.host, 'system').beginScope('a.scope', { description: 'd', pids: [1], ...wish })();
    return one.sent[1] ?? '';
  };
  assert.match(sentFor({}), /Delegate/);
  assert.doesNotMatch(sentFor({}), /CPUWeight/);
  assert.ok(sentFor({ weight: 1 }).includes('CPUWeight\0\x01t\0'));
  assert.doesNotMatch(sentFor({ weight: 1 }), /Delegate/);
});

void test('the answer may come in single bytes, and the signal before it; jobs of others are not ours', () => {
  const one = manager(removed('/job/4', 'done') + removed('/job/5', 'timeout') + answer(1, 'o', ['/job/5']), {
    piece: 1,
  });
  const started = startTransientService(one.host, 'system', 'a.service', [['Type', 's', 'notify']]);
  assert.deepEqual(started, { result: 'timeout' });
});

void test('a start that failed tells what its main process ended with, whether systemd says it before or after the job', () => {
  const other = changed('/org/freedesktop/systemd1/unit/b_2eservice', 1, 9);
  const own = changed('/org/freedesktop/systemd1/unit/_37x_2eservice', 1, 127);
  const job = answer(1, 'o', ['/job/5']);
  for (const answers of [
    job + other + own + removed('/job/5', 'failed'),
    job + removed('/job/5', 'failed') + other + own + answer(2),
  ]) {
    const one = manager(answers);
    assert.deepEqual(startTransientService(one.host, 'system', '7x.service', []), { result: 'failed', status: 127 });
  }
  const killed = manager(
    job + changed('/org/freedesktop/systemd1/unit/_37x_2eservice', 2, 9) + removed('/job/5', 'failed') + answer(2),
  );
  assert.deepEqual(startTransientService(killed.host, 'system', '7x.service', []), { result: 'failed' });
});

/** What is asked of Node's half of a start whose manager ends the connection. */
function interrupted(answers: string): { started: unknown; argvs: string[] } {
  const argvs: string[] = [];
  const { host } = manager(answers, { piece: 1 });
  const calls = {
    readlink: () => '/usr/bin/berth',
    run(request: { argv: string[] }) {
      argvs.push(request.argv.join(' '));
      return { status: 0, stdout: '', stderr: '' };
    },
  };
  return { started: startTransientService(Object.assign(host, calls), 'system', 'a.service', []), argvs };
}

void test('a job that was taken is followed when the manager is re-executed', () => {
  const { started, argvs } = interrupted(answer(1, 'o', ['/job/5']));
  assert.deepEqual(started, { result: 'done' });
  assert.deepEqual(argvs, ['/usr/bin/berth unit-job --system -- StartUnit 0 a.service=/job/5=']);
});

void test('a start that nobody answered is asked for once more, and is that one when it had been taken', () => {
  const answers = `${refusal('DBus.Error.NoReply')}OK 1234\r\n${refusal('systemd1.UnitExists')}`;
  const { started, argvs } = interrupted(answers);
  assert.deepEqual(started, { result: 'done' });
  assert.deepEqual(argvs, ['/usr/bin/berth unit-job --system -- StartUnit 0 a.service']);
});

void test('a scope that is not made is an error that names it', () => {
  const one = manager(answer(1, 'o', ['/job/5']) + removed('/job/5', 'timeout'));
  const wait = linkTo(one.host, 'system').beginScope('a.scope', { description: 'd', pids: [1] });
  assert.throws(wait, /a\.scope: .*timeout/);
});

void test('an account reaches its own manager by the private socket, else by the bus', () => {
  const bus = answer(1, 's', [':1.1']) + answer(2) + answer(3) + answer(4);
  const one = manager(bus, { uid: 1000, sockets: ['/run/user/1000/bus'] });
  linkTo(one.host, 'user').attach('a.service', '/payload', 12);
  assert.deepEqual(one.tried, ['/run/user/1000/systemd/private', '/run/user/1000/bus']);
  assert.match(one.sent[0] ?? '', /AUTH EXTERNAL 31303030\r\n/);
  for (const [index, member] of ['Hello', 'AddMatch', 'Subscribe', 'AttachProcessesToUnit'].entries()) {
    assert.ok((one.sent[index + 1] ?? '').includes(`${member}\0`), member);
  }
});

void test('an account speaks to the system manager over the bus alone', () => {
  const one = manager(answer(1) + answer(2) + answer(3) + answer(4), { uid: 1000 });
  linkTo(one.host, 'system').attach('a.service', '/payload', 12);
  assert.deepEqual(one.tried, ['/run/dbus/system_bus_socket']);
});

void test('a refusal is one line without control characters', () => {
  const text = 'Unit a.service is\nmasked\x1b[2J.';
  const fields: [number, [string, unknown]][] = [
    [4, ['s', 'org.freedesktop.systemd1.UnitMasked']],
    [5, ['u', 1]],
  ];
  const one = manager(message(3, fields, 's', [text]));
  assert.throws(
    () => startTransientService(one.host, 'system', 'a.service', []),
    (error: unknown) =>
      error instanceof BusError &&
      error.message === 'systemd: Unit a.service is?masked?[2J' &&
      error.status === 125 &&
      error.name === 'org.freedesktop.systemd1.UnitMasked',
  );
  assert.equal(one.closed(), 1);
});

void test('a manager that is not there, hangs up or speaks otherwise is one line', () => {
  const absent = manager('', { sockets: [] });
  assert.throws(() => linkTo(absent.host, 'system'), /system manager .* cannot be reached: .*bus_socket/);
  assert.throws(() => linkTo(manager('').host, 'system').attach('a', '/', 1), /closed the connection/);
  assert.throws(() => linkTo(manager('HTTP/1.1 200 OK, hello').host, 'system').attach('a', '/', 1), BusError);
});

void test('bus addresses', () => {
  assert.equal(busPath(undefined), undefined);
  assert.equal(busPath('tcp:host=x;unix:guid=1,path=/run/a%20b'), '/run/a b');
  assert.equal(busPath('unix:abstract=/tmp/x'), '@/tmp/x');
});
