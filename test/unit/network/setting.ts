import assert from 'node:assert/strict';
import { describe } from '../../../src/base/problem.ts';
import { fakeHost } from '../../../src/host/fake.ts';
import { HostError, type Host, type SpawnRequest, type SpawnResult } from '../../../src/host/host.ts';
import { setUp } from '../../../src/network/network.ts';
import type { RunRequest } from '../../../src/plan/request.ts';
import { parse } from '../plan/helpers.ts';

export const PLACE = {
  pid: 77,
  netnsPath: '/proc/77/ns/net',
  bundle: '/run/berth/containers/web',
  store: '/store',
  name: 'web',
};
export const TCP = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
export const LISTENS = `${TCP}   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n`;

interface Setting {
  readonly uid?: number;
  readonly run?: (request: SpawnRequest) => Partial<SpawnResult>;
  /** Of netavark and aardvark-dns. */
  readonly version?: (request: SpawnRequest) => Partial<SpawnResult>;
  readonly files?: Record<string, string>;
  readonly missing?: boolean;
}

/** `--name value` words of `berth run`. */
export function request(...words: string[]): RunRequest {
  const pairs: (readonly [string, string])[] = [];
  for (let i = 0; i < words.length; i += 2) pairs.push([(words[i] ?? '').replace(/^-+/, ''), words[i + 1] ?? '']);
  return parse([['name', 'web'], ...pairs]);
}

/** A host with pasta and netavark; the programs that were run are recorded. */
export function setting(given: Setting = {}) {
  const ran: SpawnRequest[] = [];
  const calls: Partial<Host> = {
    access: () => given.missing !== true,
    pipe: () => [30, 31],
    close: () => undefined,
    poll: fds => [...fds],
    launch: () => ({ pid: 99, pidfd: 40, control: 42, status: 43 }),
    receiveMessage: () => ({ message: 'at created', fds: [] }),
    signal: () => true,
    wait: () => ({ signal: 9 }),
    startTime: pid => (pid === 500 ? '12345' : undefined),
    openProcess: pid => (pid === 500 ? 41 : undefined),
  };
  const host = fakeHost({
    uid: given.uid ?? 1000,
    files: {
      '/run/berth/containers/web/pasta.pid': '500\n',
      '/etc/hosts': '127.0.0.1 localhost # here\n192.0.2.1 router\n',
      '/etc/resolv.conf': 'search example.org\nnameserver 127.0.0.53\n',
      '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.53\noptions edns0\n',
      '/proc/net/tcp': TCP,
      ...given.files,
    },
    directories: ['/run/berth/containers/web', '/proc'],
    run(request) {
      if (request.argv[1] === '--version' && given.missing !== true)
        return { status: 0, stdout: 'helper 1.14.0\n', stderr: '', ...given.version?.(request) };
      ran.push(request);
      if (given.missing === true) throw new HostError('execve', 'ENOENT', 2, 'no such file or directory', 'pasta');
      const stdout = request.argv[0] === '/usr/lib/berth/ports' ? '500\n' : '';
      return { status: 0, stdout, stderr: '', ...given.run?.(request) };
    },
    calls,
  });
  const start = (...words: string[]) => setUp(host, request(...words), { ...PLACE, uid: given.uid ?? 1000 });
  return { host, ran, start, file: (name: string) => host.readFile(`${PLACE.bundle}/${name}`) };
}

export function refusal(result: ReturnType<typeof setUp>): string {
  assert.ok(result.isErr());
  return describe(result.error);
}
