import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageConfig } from '../../../src/image/types.ts';
import { healthPlan, readCheckCommand, readConnection, type HealthPlan } from '../../../src/plan/health.ts';
import type { RunRequest } from '../../../src/plan/request.ts';
import { newDraft } from '../../../src/plan/draft.ts';

const reader = {
  readFile: () => undefined,
  environment: () => undefined,
  environmentList: () => [],
  cwd: () => '/',
};

function plan(health: Record<string, string>, image?: ImageConfig['healthcheck'], more: Partial<RunRequest> = {}) {
  const request = { ...(newDraft(reader, 'web').request as RunRequest), health, ...more };
  return healthPlan(request, image === undefined ? undefined : ({ healthcheck: image } as ImageConfig));
}

void test('the forms of a command are those of the peer', () => {
  const command = (text: string): readonly string[] | undefined => readCheckCommand(text)?.command;
  assert.deepEqual(command('curl -f http://localhost || exit 1'), [
    '/bin/sh',
    '-c',
    'curl -f http://localhost || exit 1',
  ]);
  assert.deepEqual(command('["curl", "-f"]'), ['curl', '-f']);
  assert.deepEqual(command('["curl -f"]'), ['/bin/sh', '-c', 'curl -f']);
  assert.deepEqual(command('["CMD", "a b"]'), ['a b']);
  assert.deepEqual(command('["CMD-SHELL", "a b"]'), ['/bin/sh', '-c', 'a b']);
  assert.deepEqual(command('CMD a b'), ['a', 'b']);
  assert.deepEqual(command('[ -f /ok ]'), ['/bin/sh', '-c', '[ -f /ok ]']);
  for (const none of ['none', 'NONE', '["NONE"]', '[]', '["CMD"]', '["CMD-SHELL",""]'])
    assert.equal(command(none), undefined, none);
});

void test('a connection is a number of a port, a path of HTTP or an absolute path', () => {
  assert.deepEqual(readConnection('port:5432'), { kind: 'port', target: '5432' });
  assert.deepEqual(readConnection('http:8080/ready?x=1'), { kind: 'http', target: '8080/ready?x=1' });
  assert.deepEqual(readConnection('http:80'), { kind: 'http', target: '80' });
  assert.deepEqual(readConnection('unix:/run/a.sock'), { kind: 'unix', target: '/run/a.sock' });
  for (const bad of [
    'port:0',
    'port:65536',
    'port:',
    'http:8080 x',
    'http:80/a b',
    'http:80/a\r\nHost: x',
    'unix:relative',
    'tcp:1',
    `unix:/${'x'.repeat(108)}`,
  ])
    assert.equal(readConnection(bad), undefined, bad);
});

void test('options win over the image, and what neither says is the standard', () => {
  const image = { test: ['CMD', 'check'], interval: 5e9, timeout: 2e9, startPeriod: 7e9, retries: 9 };
  const own = plan({ interval: '1m', retries: '2' }, image) as HealthPlan;
  assert.deepEqual(own.health, {
    kind: 'exec',
    target: '',
    command: ['check'],
    interval: 60000,
    timeout: 2000,
    retries: 2,
    successes: 0,
  });
  assert.equal(own.startPeriod, 7000);
  const standard = plan({ cmd: 'true' }) as HealthPlan;
  assert.deepEqual(
    [standard.health?.interval, standard.health?.timeout, standard.health?.retries, standard.startPeriod],
    [30000, 30000, 3, 0],
  );
  assert.deepEqual([standard.onFailure, standard.logCount, standard.logSize], ['none', 5, 500]);
  assert.equal((plan({ cmd: 'true', interval: 'disable' }) as HealthPlan).health?.interval, 0);
  assert.equal((plan({ cmd: 'true', interval: '10' }) as HealthPlan).health?.interval, 10000);
});

void test('no check', () => {
  assert.equal(plan({}), undefined);
  assert.equal(plan({}, { test: ['NONE'] }), undefined);
  assert.equal(plan({ disable: 'true' }, { test: ['CMD', 'check'] }), undefined);
  assert.equal(plan({ cmd: 'none' }, { test: ['CMD', 'check'] }), undefined);
});

void test('what does not go together is said', () => {
  assert.match(plan({ disable: 'true', cmd: 'true' }) as string, /--no-healthcheck excludes/);
  assert.match(plan({ 'startup-cmd': 'true' }) as string, /needs a --health-cmd/);
  assert.match(plan({}, undefined, { sdnotify: 'healthy' }) as string, /needs a health check/);
});

void test('readiness is asked beside and before health', () => {
  const both = plan({ cmd: 'true', 'startup-cmd': 'up', 'startup-success': '2' }, undefined, {
    sdnotify: 'probe',
    readiness: 'port:80',
  }) as HealthPlan;
  assert.equal(both.ready?.kind, 'port');
  assert.equal(both.startup?.successes, 2);
  assert.equal(both.health?.kind, 'exec');
  assert.equal((plan({ cmd: 'true', 'on-failure': 'restart' }) as HealthPlan).onFailure, 'stop');
});
