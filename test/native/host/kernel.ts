import { CLONE, type Host, type Launched, type LaunchRequest } from '../../../src/host/host.ts';
import { RELAY } from '../../../src/host/kernel.ts';
import { encodeOps, op } from '../../../src/ops/encode.ts';
import type { Op } from '../../../src/ops/ops.ts';
import { check, equal, fails, refuses, type Tests } from './harness.ts';

const SH = '/usr/bin:/bin';

/** A stage that plays `ops` and then runs a shell script, in new user, mount and pid namespaces. */
export function request(
  script: string,
  ops: readonly Op[] = [],
  more: Partial<LaunchRequest> = {},
  first: readonly Op[] = [],
): LaunchRequest {
  const list = [
    op('session'),
    ...first,
    op('sync', 'ready'),
    ...ops,
    op('environment', 'A=b'),
    op('exec', SH, 'sh', '-c', script),
  ];
  return {
    namespaces: CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWPID,
    sibling: false,
    ops: encodeOps(list),
    stdio: ['null', 'inherit', 'inherit'],
    descriptors: [],
    ...more,
  };
}

export function writeIds(host: Host, stage: Launched): void {
  host.writeFile(`/proc/${stage.pid}/setgroups`, 'deny');
  host.writeFile(`/proc/${stage.pid}/uid_map`, `0 ${host.uid} 1`);
  host.writeFile(`/proc/${stage.pid}/gid_map`, `0 ${host.gid} 1`);
  host.proceed(stage, 'ids');
}

function message(host: Host, stage: Launched): string {
  const next = host.receiveMessage(stage);
  return next === 'closed' ? 'closed' : next.message;
}

/** Starts, lets go, and returns the payload's output and end. */
function runStage(
  host: Host,
  script: string,
  ops: readonly Op[] = [],
  more: Partial<LaunchRequest> = {},
): { out: string; end: unknown } {
  const [read, write] = host.pipe();
  const stage = host.launch(request(script, ops, { stdio: ['null', write, 'inherit'], ...more }));
  host.close(write);
  writeIds(host, stage);
  equal(message(host, stage), 'at ready');
  host.proceed(stage, 'ready');
  const outcome = host.outcome(stage);
  equal(outcome, '', 'outcome');
  const end = host.attend(stage, { forward: [], child: true });
  const out = host.readFile(`/proc/self/fd/${read}`);
  release(host, stage);
  host.close(read);
  return { out, end };
}

function release(host: Host, stage: Launched): void {
  for (const fd of [stage.pidfd, stage.control, stage.status]) host.close(fd);
}

function gone(host: Host, pid: number): void {
  const fd = host.openProcess(pid);
  if (fd === undefined) return;
  equal(host.poll([fd], 3000), [fd], `process ${pid} ends`);
  host.close(fd);
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return '';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

export const KERNEL: Tests = {
  'a stage becomes the payload': ({ host }) => {
    const { out, end } = runStage(host, 'echo "$$ $A $(id -u) $(id -g)"; exit 7');
    equal([out, end], ['1 b 0 0\n', { status: 7 }]);
  },
  'T2 the payload has no descriptor of ours': ({ host, dir }) => {
    const fd = host.open(dir, 0o200000);
    // sh and ls: 3 is the directory that ls reads.
    equal(runStage(host, 'ls /proc/self/fd').out, '0\n1\n2\n3\n');
    host.close(fd);
  },
  'the end by a signal': ({ host }) => {
    equal(runStage(host, 'kill -9 $$; sleep 1 & kill -9 $!; wait $!; exit $(($? - 100))').end, { status: 37 });
  },
  'the payload has the default signals': ({ host }) => {
    const out = runStage(host, 'grep -E "Sig(Blk|Ign)" /proc/self/status').out;
    equal(out.replaceAll(/\s+/g, ' '), 'SigBlk: 0000000000000000 SigIgn: 0000000000000000 ');
  },
  'T1 the stage is a sealed memory file': ({ host, root }) => {
    const stage = host.launch(request('exit 0'));
    writeIds(host, stage);
    equal(message(host, stage), 'at ready');
    check(host.readlink(`/proc/${stage.pid}/exe`).startsWith('/memfd:berth'), 'memfd');
    equal(
      codeOf(() => host.open(`/proc/${stage.pid}/exe`, 0o1)),
      root ? 'ETXTBSY' : 'EACCES',
    );
    host.signal(stage.pidfd, 9);
    equal(host.wait(stage), { signal: 9 });
    const ours = host.list('/proc/self/fd').map(entry => `/proc/self/fd/${entry.name}`);
    const tiny =
      ours.find(path => host.lstat(path) !== undefined && host.readlink(path).startsWith('/memfd:berth')) ?? '';
    if (root) {
      const fd = host.open(tiny, 0o1);
      const code = codeOf(() => host.write(fd, 'x'));
      host.close(fd); // open for writing, it could not be executed any more
      equal(code, 'EPERM', 'sealed, also when nobody executes it');
    }
    equal(
      codeOf(() => host.writeFile(tiny, '')),
      root ? 'EPERM' : 'EACCES',
      'no truncation',
    );
    equal(message(host, stage), 'closed');
    release(host, stage);
  },
  'a program that is not there': ({ host }) => {
    const list = [op('sync', 'ready'), op('exec', SH, 'no-such-program')];
    const [read, write] = host.pipe();
    const stage = host.launch(request('', [], { ops: encodeOps(list), stdio: ['null', 'null', write] }));
    host.close(write);
    writeIds(host, stage);
    equal(message(host, stage), 'at ready');
    host.proceed(stage, 'ready');
    check(/^exec 2 127 /.test(host.outcome(stage)), 'STEP ERRNO EXIT TEXT');
    equal(host.attend(stage, { forward: [], child: true }), { status: 127 });
    check(host.readFile(`/proc/self/fd/${read}`).includes('no-such-program'), 'one line');
    host.close(read);
    release(host, stage);
  },
  'the end of the control socket ends the stage': ({ host }) => {
    const early = host.launch(request('exit 0'));
    host.close(early.control);
    equal(host.wait(early), { status: 125 }, 'before ids');
    const late = host.launch(request('exit 0'));
    writeIds(host, late);
    equal(message(host, late), 'at ready');
    host.close(late.control);
    equal(host.wait(late), { status: 125 }, 'at a sync');
  },
  'SIGKILL to the launcher at any step leaves no process': ({ host, dir }) => {
    for (const step of ['launched', 'ids', 'ready']) {
      const [read, write] = host.pipe();
      const launcher = host.spawn({
        argv: ['/proc/self/exe'],
        environment: [`BERTH_TEST=${step}`, `BERTH_DIR=${dir}`],
        stdout: write,
      });
      host.close(write);
      equal(host.poll([read], 5000), [read], step);
      while (host.readFileIfExists(`${dir}/${step}`) === undefined) host.poll([], 5);
      const pid = Number(host.readFile(`${dir}/${step}`));
      host.signal(launcher.pidfd, 9);
      equal(host.wait(launcher), { signal: 9 });
      gone(host, pid);
      host.close(read);
      host.close(launcher.pidfd);
    }
  },
  'a sibling is the child of our parent': ({ host, dir }) => {
    const launcher = host.spawn({ argv: ['/proc/self/exe'], environment: ['BERTH_TEST=sibling', `BERTH_DIR=${dir}`] });
    equal(host.wait(launcher), { status: 0 });
    const pid = Number(host.readFile(`${dir}/sibling`));
    const pidfd = host.openProcess(pid) ?? -1;
    equal(host.wait({ pid, pidfd }), { status: 9 }, 'we can wait for it');
  },
  'signals are handed on': ({ host }) => {
    const stage = host.launch(request('trap "exit 11" TERM; while :; do sleep 0.05; done'));
    writeIds(host, stage);
    equal(message(host, stage), 'at ready');
    host.proceed(stage, 'ready');
    equal(host.outcome(stage), '');
    const sender = host.spawn({ argv: ['sh', '-c', `sleep 0.3; kill -TERM ${host.pid}`] });
    equal(host.attend(stage, { forward: [15], child: true }), { status: 11 });
    host.wait(sender);
    release(host, stage);
  },
  'namespaces that are refused': ({ host, root }) => {
    if (!root) {
      const error = fails('EPERM', () => host.launch(request('', [], { namespaces: CLONE.NEWNS })));
      check(error.message.includes('needs root or a user namespace'), error.message);
    }
    const self = host.realpath('/proc/self/exe') ?? '';
    const script = `echo 0 > /proc/sys/user/max_user_namespaces && BERTH_TEST=refused exec ${self}`;
    const result = host.run({
      argv: ['unshare', '-Ur', 'sh', '-c', script],
      environment: ['PATH=/usr/bin:/bin'],
      stdout: 'capture',
    });
    equal(result.stdout, 'ENOSPC\n');
  },
  'a limit of descriptors that is too low': ({ host }) => {
    const result = host.run({
      argv: ['prlimit', '--nofile=60', host.realpath('/proc/self/exe') ?? ''],
      environment: ['BERTH_TEST=refused'],
      stdout: 'capture',
    });
    check(/^fail start 22 .*LimitNOFILE=/.test(result.stdout), result.stdout);
  },
  'a cgroup that is not there': ({ host, dir }) => {
    equal(fails('ENOENT', () => host.launch(request('', [], { cgroup: `${dir}/none` }))).path, `${dir}/none`);
    fails('EBADF', () => host.launch(request('', [], { cgroup: dir })));
  },
  'wrong launches are refused': ({ host }) => {
    refuses(() => host.launch(request('', [], { descriptors: 'x' as unknown as number[] })));
    refuses(() => host.launch(request('', [], { namespaces: -1 })));
    fails('EINVAL', () => host.proceed({ pid: 1, pidfd: -1, control: 0, status: -1 }, 'x'.repeat(300)));
  },
  'the relay starts in a session of its own': ({ host }) => {
    const [read, write] = host.pipe();
    const relay = host.relay(['payload=0'], [write], false, RELAY.PLAIN);
    host.close(write);
    const fields = host.readFile(`/proc/${relay.pid}/stat`).split(') ')[1]?.split(' ') ?? [];
    equal([fields[2], fields[3]], [String(relay.pid), String(relay.pid)], 'group and session');
    // journald would put the words into every entry; the exec that ended our wait may still be filling them in.
    const words = (): string => host.readFile(`/proc/${relay.pid}/cmdline`);
    for (let tries = 0; words() !== 'berth-relay\0' && tries < 100; tries++) host.poll([], 5);
    equal(words(), 'berth-relay\0');
    host.signal(relay.pidfd, 9);
    equal(host.wait(relay), { signal: 9 });
    equal(host.readFile(`/proc/self/fd/${read}`), '', 'it held what it was given, and nobody else does');
    host.close(read);
    host.close(relay.pidfd);
  },
};
