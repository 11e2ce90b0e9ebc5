import assert from 'node:assert/strict';
import { ok } from '../../../src/base/result.ts';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { HostError, type LaunchRequest } from '../../../src/host/host.ts';
import { newDraft } from '../../../src/plan/draft.ts';
import type { RunRequest } from '../../../src/plan/request.ts';
import { Failure } from '../../../src/run/failure.ts';
import type { Parts } from '../../../src/run/parts.ts';
import { PARTS } from '../../../src/verbs/parts.ts';

export const GROUP = '/sys/fs/cgroup/system.slice/web.service';
const READER = { readFile: () => undefined, environment: () => undefined, environmentList: () => [], cwd: () => '/' };
export const OF_AN_IMAGE: RunRequest = {
  ...(newDraft(READER, 'web').request as RunRequest),
  command: ['true'],
  detach: true,
  remove: true,
  sdnotify: 'conmon',
  cgroups: 'split',
  networks: ['none'],
  seccomp: 'unconfined',
};
export const REQUEST: RunRequest = { ...OF_AN_IMAGE, rootfs: { path: '/rootfs', overlay: true } };

/** What fails, by the name of the call or of the message. */
export interface Faults {
  readonly launch?: boolean;
  readonly network?: boolean;
  /** Messages of the stage, in order. */
  readonly messages?: readonly string[];
  readonly notify?: boolean;
  /** It ends before it is in place. */
  readonly relay?: boolean;
}

/** A unit of the system manager, in which systemd waits for us; the container's acts are noted in `log`. */
export function unit(faults: Faults = {}): FakeHost {
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

export function parts(host: FakeHost, faults: Faults = {}): Parts {
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
    volumes: PARTS.volumes,
    secrets: { read: () => undefined },
    systemd: { linkTo: () => assert.fail('a unit needs no scope') },
  };
}
