import { finish } from '../../../src/host/native.ts';
import { check, equal, fails, refuses, type Tests } from './harness.ts';

export const PROCESSES: Tests = {
  'run captures and tells the status': ({ host }) => {
    const argv = ['sh', '-c', 'echo "out $A"; printf "\\377" >&2; exit 3'];
    const result = host.run({ argv, environment: ['A=\xe4'], stdout: 'capture', stderr: 'capture' });
    equal(result, { status: 3, stdout: 'out \xe4\n', stderr: '\xff' });
  },
  'run passes input, all of it': ({ host }) => {
    const input = 'x'.repeat(300_000);
    equal(host.run({ argv: ['cat'], input, stdout: 'capture' }).stdout, input);
    equal(host.run({ argv: ['cat'], stdout: 'capture' }).stdout, '');
  },
  'run tells a signal': ({ host }) => {
    equal(host.run({ argv: ['sh', '-c', 'kill -9 $$'] }), { signal: 9, stdout: '', stderr: '' });
  },
  'run ends a program that takes too long': ({ host }) => {
    const before = host.monotonic();
    equal(host.run({ argv: ['sleep', '30'], timeout: 100, stdout: 'capture' }).signal, 9);
    check(host.monotonic() - before < 5e6, 'in time');
  },
  'run does not wait for a background process that holds the pipe': ({ host }) => {
    const before = host.monotonic();
    equal(
      host.run({ argv: ['sh', '-c', 'echo a; sleep 5 & exit 0'], stdout: 'capture', stderr: 'capture' }).stdout,
      'a\n',
    );
    check(host.monotonic() - before < 3e6, 'at once');
  },
  'run fails by name': ({ host, dir }) => {
    equal(fails('ENOENT', () => host.run({ argv: ['no-such-program'] })).path, 'no-such-program');
    fails('ENOENT', () => host.run({ argv: [`${dir}/none`] }));
    host.writeFile(`${dir}/plain`, '', 0o600);
    fails('EACCES', () => host.run({ argv: [`${dir}/plain`] }));
    host.writeFile(`${dir}/empty`, '', 0o700);
    fails('ENOEXEC', () => host.run({ argv: [`${dir}/empty`] }));
    fails('EINVAL', () => host.run({ argv: [] }));
    refuses(() => host.run({ argv: ['true', 7 as unknown as string] }));
    refuses(() => host.run({ argv: ['true'], stdout: 'nonsense' as 'inherit' }));
  },
  'run limits what it captures': ({ host }) => {
    fails('EFBIG', () => host.run({ argv: ['cat', '/dev/zero'], stdout: 'capture' }));
  },
  'T2 a child has no descriptor and no variable of ours': ({ host, dir }) => {
    const fd = host.open(dir, 0o200000);
    equal(host.run({ argv: ['sh', '-c', 'ls /proc/self/fd'], stdout: 'capture' }).stdout, '0\n1\n2\n3\n');
    equal(host.run({ argv: ['env'], stdout: 'capture' }).stdout, '');
    host.close(fd);
  },
  'a child has the default signals': ({ host }) => {
    const status = host.run({ argv: ['cat', '/proc/self/status'], stdout: 'capture' }).stdout;
    equal(/SigBlk:\s*(\w+)/.exec(status)?.[1], '0000000000000000');
    equal(/SigIgn:\s*(\w+)/.exec(status)?.[1], '0000000000000000');
  },
  'spawn, wait, signal, poll': ({ host }) => {
    const child = host.spawn({ argv: ['sleep', '30'] });
    equal(host.poll([child.pidfd], 0), []);
    equal(host.startTime(child.pid) !== undefined, true);
    equal(host.signal(child.pidfd, 15), true);
    equal(host.poll([child.pidfd], 5000), [child.pidfd]);
    equal(host.wait(child), { signal: 15 });
    equal(host.signal(child.pidfd, 15), false);
    equal([host.openProcess(child.pid), host.startTime(child.pid)], [undefined, undefined]);
    fails('ECHILD', () => host.wait(child));
    host.close(child.pidfd);
    refuses(() => host.spawn({ argv: ['true'], stdout: 'capture' }));
    refuses(() => host.spawn({ argv: ['true'], input: 'x' }));
  },
  'spawn gives a descriptor as output': ({ host }) => {
    const [read, write] = host.pipe();
    const child = host.spawn({ argv: ['echo', 'through'], stdout: write });
    host.close(write);
    equal(host.poll([read], 5000), [read]);
    equal(host.readFile(`/proc/self/fd/${read}`), 'through\n');
    host.wait(child);
    host.close(child.pidfd);
    host.close(read);
  },
  'split makes a second process, which ends with the first': ({ host }) => {
    const half = host.split();
    check(half !== undefined, 'two processors');
    if (half === undefined) return;
    if (half.second) {
      host.send(half.fd, `second \xe4 ${host.receive(half.fd, 100, 5000).data}`);
      finish(7);
    }
    host.send(half.fd, 'first');
    equal(host.receive(half.fd, 100, 5000).data, 'second \xe4 first');
    equal(host.split(), undefined, 'once per process');
    equal(host.wait(half), { status: 7 });
    equal(host.receive(half.fd, 100, 5000).data, '');
    host.close(half.fd);
    host.close(half.pidfd);
  },
  'openProcess and startTime of ourselves': ({ host }) => {
    const fd = host.openProcess(host.pid);
    check(fd !== undefined, 'a pidfd');
    host.close(fd ?? -1);
    const expected = host.readFile('/proc/self/stat').split(') ')[1]?.split(' ')[19];
    equal(host.startTime(host.pid), expected);
    equal([host.openProcess(0), host.startTime(0)], [undefined, undefined]);
  },
  'exec replaces the program, or says why not': ({ host }) => {
    fails('ENOENT', () => host.exec(['no-such-program'], []));
    const child = host.run({ argv: ['/proc/self/exe'], environment: ['BERTH_TEST=exec'], stdout: 'capture' });
    equal([child.status, child.stdout], [4, 'fds 0 1 2 3 A=b\n']);
  },
  'write writes all': ({ host }) => {
    const [read, write] = host.pipe();
    host.write(write, 'a\xff\0b');
    host.close(write);
    equal(host.readFile(`/proc/self/fd/${read}`), 'a\xff\0b');
    host.close(read);
    fails('EBADF', () => host.write(99, 'x'));
  },
  facts: ({ host, dir }) => {
    equal(
      [host.uid, host.gid, host.euid].join(' '),
      host.run({ argv: ['sh', '-c', 'echo "$(id -ru) $(id -rg) $(id -u)"'], stdout: 'capture' }).stdout.trim(),
    );
    equal(host.environment('BERTH_DIR'), dir.replace(/\/\d+$/, ''));
    equal(host.environment('NONE'), undefined);
    check(host.environmentList().includes(`BERTH_DIR=${host.environment('BERTH_DIR') ?? ''}`), 'environmentList');
    equal(`${host.kernelRelease()}\n`, host.readFile('/proc/sys/kernel/osrelease'));
    equal(`${host.hostName()}\n`, host.readFile('/proc/sys/kernel/hostname'));
    check(host.cwd().startsWith('/'), 'cwd');
    check(/^[0-9a-f]{64}$/.test(host.random(32)) && host.random(8) !== host.random(8), 'random');
    refuses(() => host.random(1000));
    check(host.now() > 1.7e9 && host.monotonic() > 0, 'clocks');
    equal(host.isTerminal(host.open('/dev/null', 0)), false);
  },
  'a move is announced with a process of that very group, by a thread': ({ host, dir }) => {
    const file = (name: string, processes: string): string => {
      host.writeFile(`${dir}/${name}`, processes, 0o600);
      host.expectMove(`${dir}/${name}`);
      return `${dir}/${name}`;
    };
    // A plain file keeps its place between reading and writing: what is written follows what was read.
    const strange = file('strange', '0\n');
    const empty = file('empty', '');
    const own = file('own', '77\n88\n');
    for (let i = 0; i < 100_000 && host.readFile(own) === '77\n88\n'; i++);
    equal(host.readFile(own), '77\n88\n77');
    equal(host.readFile(strange) + host.readFile(empty), '0\n');
    host.expectMove(`${dir}/absent/cgroup.procs`);
  },
};
