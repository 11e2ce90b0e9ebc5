import { check, equal, fails, refuses, type Tests } from './harness.ts';

const ALL_BYTES = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');

export const FILES: Tests = {
  'files keep all bytes': ({ host, dir }) => {
    host.writeFile(`${dir}/a`, ALL_BYTES, 0o640);
    equal(host.readFile(`${dir}/a`), ALL_BYTES);
    host.writeFile(`${dir}/a`, 'short');
    equal(host.readFile(`${dir}/a`), 'short');
    equal(host.stat(`${dir}/a`)?.mode, 0o640);
  },
  'names keep all bytes': ({ host, dir }) => {
    const name = '\x01\xff\xc3\xa4 \n';
    host.writeFile(`${dir}/${name}`, '', 0o600);
    equal(host.list(dir), [{ name, kind: 'file' }]);
  },
  'wrong arguments are refused': ({ host, dir }) => {
    refuses(() => host.readFile(1 as unknown as string));
    refuses(() => host.readFile('/\u0100'));
    refuses(() => host.mkdir(dir, -1));
    refuses(() => host.list({} as unknown as string));
    fails('EINVAL', () => host.readFile('/etc\0/passwd'));
  },
  'readFile names the file': ({ host, dir }) => {
    const error = fails('ENOENT', () => host.readFile(`${dir}/none`));
    equal([error.path, error.syscall, error.errno], [`${dir}/none`, 'open', 2]);
    equal(error.message, `${dir}/none: no such file or directory`);
    fails('EISDIR', () => host.readFile(dir));
    fails('ENOTDIR', () => host.readFile('/etc/passwd/x'));
  },
  'readFile has a limit': ({ host, dir }) => {
    host.writeFile(`${dir}/a`, 'x'.repeat(1000), 0o600);
    equal(host.readFile(`${dir}/a`, 1000).length, 1000);
    fails('EFBIG', () => host.readFile(`${dir}/a`, 999));
    fails('EFBIG', () => host.readFile('/dev/zero', 100_000));
  },
  'readFile reads files that say size 0': ({ host }) => {
    check(host.readFile('/proc/self/status').includes('VmSize'), 'status');
    check(host.readFile('/proc/self/smaps').length > 4096, 'smaps');
  },
  readFileIfExists: ({ host, dir }) => {
    equal(host.readFileIfExists(`${dir}/none`), undefined);
    equal(host.readFileIfExists('/etc/passwd/x'), undefined);
    host.symlink('loop', `${dir}/loop`);
    fails('ELOOP', () => host.readFileIfExists(`${dir}/loop`));
  },
  'writeFile without a mode creates nothing': ({ host, dir }) => {
    fails('ENOENT', () => host.writeFile(`${dir}/none`, ''));
    equal(host.list(dir), []);
  },
  'T24 writeFileAtomic replaces by rename': ({ host, dir }) => {
    host.writeFileAtomic(`${dir}/a`, 'a much longer content', 0o600);
    const before = host.stat(`${dir}/a`)?.inode;
    host.link(`${dir}/a`, `${dir}/old`);
    host.writeFileAtomic(`${dir}/a`, 'b', 0o644);
    equal([host.readFile(`${dir}/a`), host.readFile(`${dir}/old`)], ['b', 'a much longer content']);
    check(before !== host.stat(`${dir}/a`)?.inode, 'a new file');
    equal(host.stat(`${dir}/a`)?.mode, 0o644);
    equal(host.list(dir).length, 2, 'no temporary file is left');
  },
  'writeFileAtomic leaves nothing after a failure': ({ host, dir }) => {
    host.mkdirs(`${dir}/a/full`, 0o755);
    fails('EISDIR', () => host.writeFileAtomic(`${dir}/a`, 'x', 0o600));
    equal(host.list(dir).length, 1);
    fails('ENOENT', () => host.writeFileAtomic(`${dir}/none/x`, 'x', 0o600));
  },
  'mkdir, mkdirs, rmdir': ({ host, dir }) => {
    equal([host.mkdir(`${dir}/a`, 0o700), host.mkdir(`${dir}/a`, 0o755)], [true, false]);
    equal(host.stat(`${dir}/a`)?.mode, 0o700);
    host.mkdirs(`${dir}/a/b//c/`, 0o711);
    equal(host.stat(`${dir}/a/b/c`)?.kind, 'directory');
    host.writeFile(`${dir}/f`, '', 0o600);
    fails('EEXIST', () => host.mkdir(`${dir}/f`, 0o700));
    fails('ENOTDIR', () => host.mkdirs(`${dir}/f/x`, 0o700));
    fails('ENOTEMPTY', () => host.rmdir(`${dir}/a`));
    equal([host.rmdir(`${dir}/a/b/c`), host.rmdir(`${dir}/a/b/c`)], [true, false]);
  },
  'list sorts by bytes and knows kinds': ({ host, dir }) => {
    for (const name of ['b', 'B', 'a', '\xe4', '.x']) host.writeFile(`${dir}/${name}`, '', 0o600);
    host.mkdir(`${dir}/d`, 0o755);
    host.symlink('a', `${dir}/l`);
    equal(
      host.list(dir).map(e => e.name + e.kind[0]),
      ['.xf', 'Bf', 'af', 'bf', 'dd', 'ls', '\xe4f'],
    );
    fails('ENOENT', () => host.list(`${dir}/none`));
    fails('ENOTDIR', () => host.list(`${dir}/a`));
    equal(host.list('/dev').find(e => e.name === 'null')?.kind, 'char');
  },
  'stat and lstat': ({ host, dir }) => {
    host.writeFile(`${dir}/a`, '12345', 0o604);
    host.symlink('a', `${dir}/l`);
    host.symlink('none', `${dir}/broken`);
    const found = host.stat(`${dir}/l`);
    equal([found?.kind, found?.size, found?.mode, found?.uid, found?.links], ['file', 5, 0o604, host.uid, 1]);
    equal(host.lstat(`${dir}/l`)?.kind, 'symlink');
    equal(
      [host.stat(`${dir}/broken`), host.lstat(`${dir}/none`), host.stat(`${dir}/a/x`)],
      [undefined, undefined, undefined],
    );
    const device = host.stat('/dev/null');
    equal([device?.kind, device?.rdevMajor, device?.rdevMinor], ['char', 1, 3]);
    check(Math.abs((found?.mtime ?? 0) - host.now()) < 60, 'mtime');
  },
  'links and names': ({ host, dir }) => {
    host.symlink('x/../y', `${dir}/l`);
    equal(host.readlink(`${dir}/l`), 'x/../y');
    fails('EEXIST', () => host.symlink('z', `${dir}/l`));
    fails('EINVAL', () => host.readlink(dir));
    host.writeFile(`${dir}/y`, '', 0o600);
    host.mkdir(`${dir}/x`, 0o755);
    equal(host.realpath(`${dir}/x/../l`), `${dir}/y`);
    host.symlink('loop', `${dir}/loop`);
    equal([host.realpath(`${dir}/loop`), host.realpath(`${dir}/none`)], [undefined, undefined]);
    host.rename(`${dir}/y`, `${dir}/z`);
    equal([host.unlink(`${dir}/z`), host.unlink(`${dir}/z`)], [true, false]);
    equal(fails('ENOENT', () => host.rename(`${dir}/none`, `${dir}/z`)).path, `${dir}/none`);
    equal(fails('ENOENT', () => host.rename(`${dir}/x`, `${dir}/no/z`)).path, `${dir}/no/z`);
  },
  'chmod, chown, access': ({ host, dir, root }) => {
    host.writeFile(`${dir}/a`, '', 0o600);
    host.chmod(`${dir}/a`, 0o2755);
    equal(host.stat(`${dir}/a`)?.mode, 0o2755);
    equal([host.access(`${dir}/a`, 1), host.access(`${dir}/none`, 4)], [true, false]);
    if (root) {
      host.symlink('a', `${dir}/l`);
      host.chown(`${dir}/l`, 4294967294, 7);
      equal([host.lstat(`${dir}/l`)?.uid, host.stat(`${dir}/a`)?.uid], [4294967294, 0], 'the link itself');
    } else {
      fails('EPERM', () => host.chown(`${dir}/a`, 0, 0));
      equal(host.access('/etc/shadow', 4), false);
    }
  },
  locks: ({ host, dir }) => {
    const first = host.lock(`${dir}/l`, true, false);
    equal(host.stat(`${dir}/l`)?.mode, 0o600);
    equal(host.lock(`${dir}/l`, true, false), undefined);
    equal(host.lock(`${dir}/l`, false, false), undefined);
    first?.release();
    const [a, b] = [host.lock(`${dir}/l`, false, true), host.lock(`${dir}/l`, false, false)];
    check(a !== undefined && b !== undefined, 'two shared locks');
    equal(host.lock(`${dir}/l`, true, false), undefined);
    a?.release();
    b?.release();
    host.symlink('elsewhere', `${dir}/link`);
    fails('ELOOP', () => host.lock(`${dir}/link`, true, true));
  },
  'fsType, sync, open, close': ({ host, dir }) => {
    equal(host.fsType('/proc'), 0x9fa0);
    host.sync(dir);
    const fd = host.open(`${dir}/a`, 0o1 | 0o100);
    host.write(fd, 'text');
    check(
      (parseInt(/flags:\s+(\d+)/.exec(host.readFile(`/proc/self/fdinfo/${fd}`))?.[1] ?? '', 8) & 0o2000000) !== 0,
      'close-on-exec',
    );
    host.close(fd);
    fails('EBADF', () => host.close(fd));
    equal(host.readFile(`${dir}/a`), 'text');
  },
};
