import { CLONE, HostError, type Host } from '../../../src/host/host.ts';
import { encodeOps, op } from '../../../src/ops/encode.ts';
import { finish, nativeHost, offer } from '../../../src/host/native.ts';
import { FILES } from './files.ts';
import { runTests } from './harness.ts';
import { JUNK_TESTS } from './junk.ts';
import { KERNEL, request, writeIds } from './kernel.ts';
import { PROCESSES } from './processes.ts';
import { SECCOMP } from './seccomp.ts';
import { SOCKETS } from './sockets.ts';
import { TEXT } from './text.ts';
import { TREES } from './trees.ts';

/** The test program: all tests, or the part of another process that one of them starts (BERTH_TEST). */
const ROLES: Readonly<Record<string, (host: Host, dir: string) => number>> = {
  exec(host) {
    return host.exec(['sh', '-c', 'echo fds $(ls /proc/self/fd) A=$A; exit 4'], ['A=b', 'PATH=/usr/bin:/bin']);
  },
  notify(host) {
    host.notify('STATUS=a', false);
    return host.notify('MAINPID=1\nREADY=1', true) ? 0 : 1;
  },
  launched: (host, dir) => hang(host, dir, 'launched'),
  ids: (host, dir) => hang(host, dir, 'ids'),
  ready: (host, dir) => hang(host, dir, 'ready'),
  sibling(host, dir) {
    const stage = host.launch(request('exit 9', [], { sibling: true }));
    writeIds(host, stage);
    host.receiveMessage(stage);
    host.writeFile(`${dir}/sibling`, String(stage.pid), 0o600);
    host.proceed(stage, 'ready');
    return host.outcome(stage) === '' ? 0 : 1;
  },
  refused(host) {
    try {
      const stage = host.launch({
        namespaces: CLONE.NEWUSER,
        sibling: false,
        ops: encodeOps([op('exec', '/bin', 'true')]),
        stdio: ['null', 'null', 'inherit'],
        descriptors: [],
      });
      const next = host.receiveMessage(stage);
      host.write(1, `${next === 'closed' ? next : next.message}\n`);
    } catch (error) {
      host.write(1, `${error instanceof HostError ? error.code : String(error)}\n`);
    }
    return 0;
  },
  /** Attends a shell on the pty 5 (master) and 6; tells how it ended on descriptor 7. */
  terminal(host) {
    const argv = ['setsid', '--ctty', 'sh', '-c', host.environment('BERTH_SCRIPT') ?? ''];
    const child = host.spawn({ argv, environment: ['PATH=/usr/bin:/bin', 'PS1='], input: 6, stdout: 6, stderr: 6 });
    host.close(6);
    const end = host.attend(child, { terminal: 5, forward: [1], child: true, detachable: true });
    host.write(7, JSON.stringify(end));
    return 0;
  },
  /** As `terminal`, with a stage and the pty that it makes. */
  console(host) {
    const script = host.environment('BERTH_SCRIPT') ?? '';
    const stage = host.launch(
      request(script, [], {}, [
        op('propagation', '/', 'rslave'),
        op('root-bind', '/', 'r'),
        op('console', 0, -1),
        op('pivot'),
      ]),
    );
    writeIds(host, stage);
    const first = host.receiveMessage(stage);
    const terminal = first === 'closed' ? undefined : first.fds[0];
    const next = host.receiveMessage(stage);
    if (terminal === undefined || next === 'closed' || next.message !== 'at ready') {
      host.write(1, JSON.stringify([first, next]));
      return 1;
    }
    host.proceed(stage, 'ready');
    if (host.outcome(stage) !== '') return 1;
    host.write(7, JSON.stringify(host.attend(stage, { terminal, forward: [], child: true })));
    return 0;
  },
  throw(host) {
    host.readFile('/no\nsuch');
    return 0;
  },
  bug() {
    return (undefined as unknown as { length: number }).length;
  },
  stack: () => deep(0),
  memory() {
    let text = 'x';
    for (;;) text += text;
  },
  // Days of four seasons, on both sides of the hour that changes, and one behind the last year of zoneinfo's tables.
  zone: host => {
    const days = [
      [2026, 0, 15],
      [2026, 2, 29, 1, 30],
      [2026, 2, 29, 1, 59],
      [2026, 2, 29, 3, 30],
      [2026, 6, 1],
      [2045, 10, 1],
    ];
    host.write(1, days.map(([y = 0, m = 0, ...rest]) => `${new Date(y, m, ...rest).getTimezoneOffset()}\n`).join(''));
    return 0;
  },
  nothing: () => 0,
};

function deep(n: number): number {
  return deep(n + 1) + 1;
}

/** Comes to a step of a start, says so, and waits to be killed. */
function hang(host: Host, dir: string, step: string): never {
  const stage = host.launch(request('sleep 100'));
  if (step !== 'launched') writeIds(host, stage);
  if (step === 'ready') host.receiveMessage(stage);
  host.writeFileAtomic(`${dir}/${step}`, String(stage.pid), 0o600);
  host.write(1, 'x');
  for (;;) host.poll([], 1000);
}

const host = nativeHost();

function run(): never {
  const dir = host.environment('BERTH_DIR') ?? '';
  const role = host.environment('BERTH_TEST');
  if (role !== undefined) {
    const status = ROLES[role]?.(host, dir) ?? 99;
    if (role === 'silent') return undefined as never;
    return finish(status);
  }
  const tests = { ...FILES, ...TEXT, ...TREES, ...PROCESSES, ...SOCKETS, ...KERNEL, ...SECCOMP, ...JUNK_TESTS };
  return finish(runTests(host, dir, tests) === 0 ? 0 : 1);
}

offer({ help: run, 'two-words': run, generator: run, one: run });
