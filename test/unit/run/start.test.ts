import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeHost } from '../../../src/host/fake.ts';
import { startContainer } from '../../../src/run/start.ts';
import { GROUP, parts, REQUEST, unit, type Faults } from './start-fixture.ts';

const ACTS = /^(launch|limit|network|proceed|relay|notify|rename\(.*(containers|state\.json)|signal)/;

function start(host: FakeHost, faults: Faults = {}): number {
  return startContainer(host, parts(host, faults), REQUEST, { id: 'ab'.repeat(32), store: '/var/lib/berth' });
}

/** Files that were not there before, but for locks. */
function left(host: FakeHost): string[] {
  return [...host.files.nodes.keys()].filter(path => /containers\/|\/payload|\/tmp\//.test(path));
}

test('the order of a start: systemd knows the process before it may run, and others know the container before that', () => {
  const host = unit();
  assert.equal(start(host), 0);
  assert.deepEqual(
    host.log.filter(line => ACTS.test(line)),
    [
      `launch(sibling in ${GROUP}/payload)`,
      'rename(/run/berth/containers/web)',
      `limit(${GROUP}/payload)`,
      'network up',
      'proceed(created)',
      'rename(/run/berth/containers/web/state.json)',
      'relay(ready=started)',
      'notify(MAINPID=77 with barrier)',
      'proceed(ready)',
    ],
  );
  const state = JSON.parse(host.files.contents()['/run/berth/containers/web/state.json'] ?? '') as Record<
    string,
    unknown
  >;
  assert.deepEqual(
    [state['name'], state['pid'], state['startTime'], state['unit'], state['manager'], state['cgroup']],
    ['web', 77, '1000', 'web.service', 'system', '/system.slice/web.service/payload'],
  );
});

const FAULTS: readonly [what: string, faults: Faults, said: RegExp][] = [
  ['the clone', { launch: true }, /namespaces: refused/],
  ['the stage before created', { messages: ['fail mount 2 /x: no such file or directory'] }, /mount \/x: no such file/],
  ['the network', { network: true }, /no network/],
  ['the stage before ready', { messages: ['at created', 'fail pivot 22 invalid argument'] }, /pivot invalid argument/],
  ['the stage without a word', { messages: ['at created'] }, /ended before 'ready'/],
  ['the stage with a wrong word', { messages: ['at dinner'] }, /'at dinner' where 'at created'/],
  ['the relay', { relay: true }, /the process that carries the log was killed/],
  ['the notification', { notify: true }, /connection refused/],
];

for (const [what, faults, said] of FAULTS) {
  test(`a start that fails at ${what} takes everything back`, () => {
    const host = unit(faults);
    assert.throws(() => start(host, faults), said);
    assert.deepEqual(left(host), []);
    assert.equal(host.log.includes('proceed(ready)'), false);
    if (faults.launch !== true) assert.ok(host.log.includes('signal(9)'), 'the stage is ended');
    assert.equal(host.files.locks.get('/var/lib/berth/locks/container-web'), 0);
  });
}

test('a network that was set up is taken down before what it stands on', () => {
  const faults = { messages: ['at created', 'fail pivot 22 invalid argument'] };
  const host = unit(faults);
  assert.throws(() => start(host, faults));
  const log = host.log.filter(line => /^(network|signal|removeTree\(\/run\/berth\/containers\/web\))/.test(line));
  assert.deepEqual(log, ['network up', 'network down', 'signal(9)', 'removeTree(/run/berth/containers/web)']);
});

test('a name in use is refused before anything is made', () => {
  const host = unit();
  start(host);
  const again = unit();
  for (const [path, node] of host.files.nodes) if (path.startsWith('/run/berth')) again.files.nodes.set(path, node);
  const running = Object.setPrototypeOf({ openProcess: () => 5, poll: () => [] }, again) as FakeHost;
  assert.throws(() => start(running), /the container name web is in use/);
  assert.equal(
    again.log.some(line => line.startsWith('launch')),
    false,
  );
});
