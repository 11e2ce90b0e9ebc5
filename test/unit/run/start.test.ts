import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok } from '../../../src/base/result.ts';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { HostError, type LaunchRequest } from '../../../src/host/host.ts';
import { newDraft } from '../../../src/plan/draft.ts';
import type { RunRequest } from '../../../src/plan/request.ts';
import { Failure } from '../../../src/run/failure.ts';
import type { Parts } from '../../../src/run/parts.ts';
import { startContainer } from '../../../src/run/start.ts';
import {
  chooseVolumes,
  createVolumes,
  markFilled,
  releaseVolumes,
  removeVolumes,
} from '../../../src/volume/volumes.ts';

const GROUP = '/sys/fs/cgroup/system.slice/web.service';
const READER = { readFile: () => undefined, environment: () => undefined, environmentList: () => [], cwd: () => '/' };
const REQUEST: RunRequest = {
  ...(newDraft(READER, 'web').request as RunRequest),
  rootfs: { path: '/rootfs', overlay: true },
  command: ['true'],
  detach: true,
  remove: true,
  sdnotify: 'conmon',
  cgroups: 'split',
  networks: ['none'],
  seccomp: 'unconfined',
};

/** What fails, by the name of the call or of the message. */
interface Faults {
  readonly launch?: boolean;
  readonly network?: boolean;
  /** Messages of the stage, in order. */
  readonly messages?: readonly string[];
  readonly notify?: boolean;
  /** It ends before it is in place. */
  readonly relay?: boolean;
}

/** A unit of the system manager, in which systemd waits for us; the container's acts are noted in `log`. */
function unit(faults: Faults = {}): FakeHost {
  const messages = [...(faults.messages ?? ['at created', 'at ready'])];
  const host: FakeHost = fakeHost({
    environment: { NOTIFY_SOCKET: '/run/systemd/notify', PODMAN_SYSTEMD_UNIT: 'web.service' },
    directories: [
      '/run/berth',
      '/run/systemd/system',
      '/run/systemd/journal/stdout',
      '/rootfs/etc',
      '/var/lib/berth',
      `${GROUP}/supervisor`,
    ],
    files: {
      '/proc/self/cgroup': '0::/system.slice/web.service/supervisor\n',
      '/proc/self/uid_map': '0 0 4294967295\n',
      '/proc/self/gid_map': '0 0 4294967295\n',
      '/proc/self/status': 'NoNewPrivs:\t0\n',
      '/proc/self/limits': '',
      '/etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
      [`${GROUP}/cgroup.procs`]: '',
      [`${GROUP}/cgroup.controllers`]: '',
    },
    calls: {
      fsType: () => 0x63677270,
      launch(request: LaunchRequest) {
        host.log.push(`launch(${request.sibling ? 'sibling' : 'child'} in ${request.cgroup ?? ''})`);
        if (faults.launch === true) throw new HostError('clone3', 'EPERM', 1, 'refused', 'namespaces');
        return { pid: 77, pidfd: 70, control: 71, status: 72 };
      },
      receiveMessage() {
        const message = messages.shift();
        return message === undefined ? 'closed' : { message, fds: [] };
      },
      proceed: (_stage, name) => void host.log.push(`proceed(${name})`),
      limitDevices: directory => void host.log.push(`limit(${directory})`),
      pipe: () => [80, 81],
      outcome: ({ status }) => (status === 80 && faults.relay !== true ? '.' : ''),
      relay(words) {
        host.log.push(`relay(${words.find(word => word.startsWith('ready=')) ?? ''})`);
        return { pid: 78, pidfd: 79 };
      },
      open: () => 90,
      close: () => undefined,
      poll: (fds: readonly number[]) => [...fds],
      signal(_fd, signal) {
        host.log.push(`signal(${signal})`);
        return true;
      },
      startTime: () => '1000',
      notify(state, barrier) {
        host.log.push(`notify(${state}${barrier ? ' with barrier' : ''})`);
        if (faults.notify === true)
          throw new HostError('send', 'ECONNREFUSED', 111, 'connection refused', '/run/systemd/notify');
        return true;
      },
      fchown: () => undefined,
    },
  });
  return host;
}

function parts(host: FakeHost, faults: Faults = {}): Parts {
  return {
    network: {
      choosePorts: (_, ports) => ports,
      nest: () => ok(undefined),
      setUp() {
        host.log.push('network up');
        if (faults.network === true) throw new Failure(125, 'no network');
        return ok({ kind: 'none' });
      },
      tearDown() {
        host.log.push('network down');
        return ok(undefined);
      },
    },
    volumes: {
      choose: chooseVolumes,
      create: createVolumes,
      markFilled,
      release: releaseVolumes,
      remove: removeVolumes,
    },
    secrets: { read: () => undefined },
    systemd: { linkTo: () => assert.fail('a unit needs no scope') },
  };
}

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
