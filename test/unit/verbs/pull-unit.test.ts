import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import type { SpawnRequest } from '../../../src/host/host.ts';
import { BY_NODE } from '../../../src/host/native.ts';
import { main } from '../../../src/verbs/pull.ts';

const STORE = '/var/lib/berth';
const NAME = 'localhost:5000/app:1';
const ID = '1'.repeat(64);
const TEXT = 'pulling app:1: layer 1/2, 0/9 MB';

interface Pulled {
  readonly host: FakeHost;
  readonly status: number;
  readonly spawned: readonly SpawnRequest[];
}

/** `berth pull` as process 4242 of a service; a child, where there is one, says `lines` and ends with `ended`. */
function pulled(environment: Record<string, string>, lines: string[] = [], ended = 0, words = [NAME]): Pulled {
  const spawned: SpawnRequest[] = [];
  const host = fakeHost({
    argv: ['berth', 'pull', '--quiet', ...words],
    files: { '/proc/self/cgroup': '0::/system.slice/app-image.service\n' },
    environment: { HOME: '/root', ...environment },
    calls: {
      readlink: () => '/usr/bin/berth',
      pipe: () => [10, 11],
      close: () => undefined,
      connectUnix: () => 12,
      send: (_fd, data) => void host.log.push(`event(${/^MESSAGE=berth: (.*)$/m.exec(data)?.[1] ?? ''})`),
      spawn: request => (spawned.push(request), { pid: 5000, pidfd: 13 }),
      poll: fds => [...fds],
      receive: () => ({ data: lines.shift() ?? '', fds: [] }),
      wait: () => {
        if (ended === 0) putImage(host);
        return { status: ended };
      },
    },
  });
  return { host, status: main(host), spawned };
}

function putImage(host: FakeHost): void {
  const layer = `sha256:${ID}`;
  const config = { entrypoint: [], command: [], environment: [], user: '', workingDirectory: '', labels: {} };
  const more = { config: { ...config, exposedPorts: [], volumes: [], stopSignal: '' }, layers: [layer], size: 1 };
  const record = { version: 1, id: ID, architecture: 'amd64', os: 'linux', created: '', ...more };
  host.mkdirs(`${STORE}/layers/sha256-${ID}/fs`, 0o700);
  host.writeFile(`${STORE}/images/${ID}.json`, JSON.stringify(record), 0o600);
  host.writeFile(`${STORE}/names/localhost:5000%2Fapp:1`, `${ID}\n`, 0o600);
}

const HEARD = { NOTIFY_SOCKET: '/run/systemd/notify', SYSTEMD_EXEC_PID: '4242' };

const told = ({ host }: Pulled): string[] => host.log.filter(line => /^(notify|event)/.test(line));

void test('the process of an .image unit tells systemd how far it is, and asks for time only when bytes came', () => {
  const result = pulled(HEARD, [`0 ${TEXT}\n`, `7 ${TEXT}\n`, `7 ${TEXT}\n`]);
  assert.deepEqual(told(result), [
    `notify(STATUS=${TEXT})`,
    `notify(STATUS=${TEXT} EXTEND_TIMEOUT_USEC=90000000)`,
    `notify(STATUS=${TEXT})`,
    'notify(STATUS=)',
    `event(pulled ${NAME})`,
  ]);
  assert.equal(result.status, 0);
  assert.equal(result.host.written.out, `${ID}\n`);
  const [child, ...more] = result.spawned;
  assert.deepEqual(child?.argv, ['/usr/bin/berth', 'pull', '--quiet=true', '--format=progress', '--', NAME]);
  assert.deepEqual(child.environment, ['HOME=/root', 'SYSTEMD_EXEC_PID=4242']);
  assert.equal(more.length, 0);
});

void test('its end is that of the child, which has said why', () => {
  const result = pulled(HEARD, [], 125);
  assert.equal(result.status, 125);
  assert.equal(result.host.written.out, '');
  assert.deepEqual(told(result), ['notify(STATUS=)', `event(${NAME} could not be pulled)`]);
});

void test('what systemd does not listen to, and what another process of a unit has started, is done by Node at once', () => {
  for (const environment of [{}, { SYSTEMD_EXEC_PID: '4242' }, { ...HEARD, SYSTEMD_EXEC_PID: '4241' }])
    assert.deepEqual([pulled(environment).status, pulled(environment).spawned], [BY_NODE, []]);
  for (const words of [
    ['--format=json', NAME],
    ['--format=progress', NAME],
    ['--all-tags', NAME],
    [NAME, NAME],
  ])
    assert.deepEqual(pulled(HEARD, [], 0, words).status, BY_NODE);
});
