import { check, equal, fails, type Tests } from './harness.ts';

export const SOCKETS: Tests = {
  'datagrams with descriptors': ({ host, dir }) => {
    const server = host.bindUnix(`${dir}/s`, 'datagram', 0o622);
    equal(host.lstat(`${dir}/s`)?.mode, 0o622);
    const client = host.connectUnix(`${dir}/s`, 'datagram');
    host.writeFile(`${dir}/f`, 'through a socket', 0o600);
    const file = host.open(`${dir}/f`, 0);
    host.send(client, 'one\xff\0', [file, file]);
    host.send(client, 'two');
    const got = host.receive(server, 100, 1000);
    equal([got.data, got.fds.length], ['one\xff\0', 2]);
    equal(host.readFile(`/proc/self/fd/${got.fds[1] ?? -1}`), 'through a socket');
    equal(host.receive(server, 2, 1000), { data: 'tw', fds: [] });
    fails('ETIMEDOUT', () => host.receive(server, 100, 20));
    for (const fd of [server, client, file, ...got.fds]) host.close(fd);
  },
  'a stream that is listened for, by a path of a descriptor': ({ host, dir }) => {
    const place = host.open(dir, 0o10000000);
    const listener = host.bindUnix(`/proc/self/fd/${place}/l`, 'stream', 0o660);
    equal(host.lstat(`${dir}/l`)?.mode, 0o660);
    equal(host.poll([listener], 10), []);
    const client = host.connectUnix(`${dir}/l`, 'stream');
    equal(host.poll([listener], 1000), [listener]);
    const server = host.accept(listener);
    host.send(client, 'with a descriptor', [client]);
    const got = host.receive(server, 100, 1000);
    equal([got.data, got.fds.length], ['with a descriptor', 1]);
    for (const fd of [place, listener, client, server, ...got.fds]) host.close(fd);
    fails('EBADF', () => host.accept(-1));
  },
  'addresses that cannot be': ({ host, dir }) => {
    fails('ENAMETOOLONG', () => host.connectUnix(`/${'x'.repeat(108)}`, 'stream'));
    fails('EINVAL', () => host.connectUnix('', 'stream'));
    fails('ENOENT', () => host.connectUnix(`${dir}/none`, 'stream'));
    fails('ECONNREFUSED', () => host.connectUnix('@berth-test-nobody-listens', 'stream'));
    host.close(host.bindUnix(`${dir}/s`, 'datagram', 0o600));
    fails('EADDRINUSE', () => host.bindUnix(`${dir}/s`, 'datagram', 0o600));
    fails('EPROTOTYPE', () => {
      const again = host.bindUnix(`${dir}/t`, 'datagram', 0o600);
      try {
        host.connectUnix(`${dir}/t`, 'stream');
      } finally {
        host.close(again);
      }
    });
  },
  'abstract addresses': ({ host }) => {
    const name = `@berth-test-${host.random(8)}`;
    const server = host.bindUnix(name, 'datagram', 0o600);
    const client = host.connectUnix(name, 'datagram');
    host.send(client, 'x');
    equal(host.receive(server, 10, 1000).data, 'x');
    host.close(server);
    fails('ECONNREFUSED', () => host.send(client, 'x'));
    host.close(client);
  },
  'notify reaches the manager, in order, with a barrier': ({ host, dir }) => {
    const manager = host.bindUnix(`${dir}/notify`, 'datagram', 0o600);
    const child = host.spawn({
      argv: ['/proc/self/exe'],
      environment: ['BERTH_TEST=notify', `NOTIFY_SOCKET=${dir}/notify`],
    });
    equal(host.receive(manager, 100, 5000).data, 'STATUS=a');
    equal(host.receive(manager, 100, 5000), { data: 'MAINPID=1\nREADY=1', fds: [] });
    const barrier = host.receive(manager, 100, 5000);
    equal([barrier.data, barrier.fds.length], ['BARRIER=1', 1]);
    equal(host.poll([child.pidfd], 100), [], 'it waits');
    host.close(barrier.fds[0] ?? -1);
    equal(host.wait(child), { status: 0 });
    host.close(child.pidfd);
    host.close(manager);
    equal(host.notify('READY=1', true), false, 'without a manager');
  },
  'pipes with an owner': ({ host, root }) => {
    const [read, write] = host.pipe({ uid: host.uid, gid: host.gid });
    equal(host.stat(`/proc/self/fd/${write}`)?.uid, host.uid);
    if (root) {
      host.fchown(write, 12345, 6);
      equal(host.stat(`/proc/self/fd/${write}`)?.uid, 12345);
    } else {
      fails('EPERM', () => host.pipe({ uid: 0, gid: 0 }));
    }
    check(host.stat(`/proc/self/fd/${read}`)?.kind === 'fifo', 'a pipe');
    host.close(read);
    host.close(write);
  },
};
