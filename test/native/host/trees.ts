import { check, equal, fails, type Tests } from './harness.ts';

export const TREES: Tests = {
  'removeTree removes files, links and directories': ({ host, dir }) => {
    host.mkdirs(`${dir}/t/a/b/c`, 0o755);
    host.writeFile(`${dir}/t/a/f`, '', 0o400);
    host.writeFile(`${dir}/t/f`, '', 0o400);
    equal(
      [host.removeTree(`${dir}/t/f`), host.removeTree(`${dir}/t`), host.removeTree(`${dir}/t`)],
      [true, true, false],
    );
    equal(host.list(dir), []);
    equal(host.removeTree(`${dir}/none/x`), false);
  },
  'T20 removeTree never follows a link': ({ host, dir }) => {
    host.mkdirs(`${dir}/keep/deep`, 0o755);
    host.writeFile(`${dir}/keep/deep/f`, 'x', 0o600);
    host.mkdirs(`${dir}/t/d`, 0o755);
    host.symlink(`${dir}/keep`, `${dir}/t/d/link`);
    host.symlink('../keep', `${dir}/link`);
    equal([host.removeTree(`${dir}/t`), host.removeTree(`${dir}/link`)], [true, true]);
    equal(host.readFile(`${dir}/keep/deep/f`), 'x');
  },
  'T20 removeTree takes names only': ({ host, dir }) => {
    host.mkdir(`${dir}/t`, 0o755);
    for (const path of ['/', '//', `${dir}/t/.`, `${dir}/t/..`, '..', '.', ''])
      fails('EINVAL', () => host.removeTree(path));
    equal(host.removeTree(`${dir}/t/`), true);
  },
  'removeTree takes back permissions': ({ host, dir }) => {
    host.mkdirs(`${dir}/t/work/work`, 0o755);
    host.writeFile(`${dir}/t/work/f`, '', 0o600);
    host.chmod(`${dir}/t/work/work`, 0);
    host.chmod(`${dir}/t/work`, 0o500);
    equal(host.removeTree(`${dir}/t`), true);
  },
  'T34 removeTree has no depth limit': ({ host, dir }) => {
    // Built from the inside out, since a path has at most 4095 bytes.
    host.mkdir(`${dir}/t`, 0o755);
    for (let level = 0; level < 3000; level++) {
      host.mkdir(`${dir}/next`, 0o755);
      host.rename(`${dir}/t`, `${dir}/next/directory`);
      host.rename(`${dir}/next`, `${dir}/t`);
    }
    equal(host.removeTree(`${dir}/t`), true);
    equal(host.list(dir), []);
  },
  'removeTree goes on after an error and tells the first': ({ host, dir, root }) => {
    if (root) return void equal(host.removeTree(`${dir}/none`), false);
    const error = fails('EACCES', () => host.removeTree('/root'));
    equal(error.path.startsWith('/root'), true);
    equal(host.stat('/root')?.kind, 'directory');
  },
  readFileInRoot: ({ host, dir }) => {
    host.mkdirs(`${dir}/r/etc`, 0o755);
    host.writeFile(`${dir}/r/etc/passwd`, 'root:x:0\n', 0o644);
    equal(host.readFileInRoot(`${dir}/r`, '/etc/passwd', 100), { data: 'root:x:0\n' });
    equal(host.readFileInRoot(`${dir}/r`, '/etc/none', 100), 'absent');
    equal(host.readFileInRoot(`${dir}/r`, '/none/none', 100), 'absent');
    fails('EFBIG', () => host.readFileInRoot(`${dir}/r`, '/etc/passwd', 3));
    fails('EINVAL', () => host.readFileInRoot(`${dir}/r`, '/etc', 100));
    fails('ENOENT', () => host.readFileInRoot(`${dir}/none`, '/etc', 100));
  },
  'T16 T18 readFileInRoot stays below the root': ({ host, dir }) => {
    host.mkdirs(`${dir}/r/etc`, 0o755);
    host.writeFile(`${dir}/secret`, 'secret', 0o600);
    host.symlink(`${dir}/secret`, `${dir}/r/etc/absolute`);
    host.symlink('../../../../../../../../etc/passwd', `${dir}/r/etc/up`);
    host.symlink('/proc/self/root/etc/passwd', `${dir}/r/etc/magic`);
    host.symlink('/', `${dir}/r/slash`);
    for (const path of ['/etc/absolute', '/etc/up', '/etc/magic', '/slash/etc/passwd', '/../../../etc/passwd']) {
      equal(host.readFileInRoot(`${dir}/r`, path, 1 << 20), 'absent', path);
    }
    host.writeFile(`${dir}/r/etc/passwd`, 'inside', 0o644);
    for (const path of ['/etc/up', '/slash/etc/passwd', '/../../etc/passwd']) {
      equal(host.readFileInRoot(`${dir}/r`, path, 100), { data: 'inside' }, path);
    }
  },
  'readFileInRoot opens no device and no pipe': ({ host, dir, root }) => {
    equal(host.run({ argv: ['mkfifo', `${dir}/fifo`] }).status, 0);
    fails('EINVAL', () => host.readFileInRoot(dir, '/fifo', 100));
    if (root) {
      equal(host.run({ argv: ['mknod', `${dir}/zero`, 'c', '1', '5'] }).status, 0);
      fails('EINVAL', () => host.readFileInRoot(dir, '/zero', 100));
    }
  },
  'readFileInRoot knows what hides lower layers': ({ host, dir, root }) => {
    host.mkdirs(`${dir}/r/opaque/sub`, 0o755);
    host.writeFile(`${dir}/r/file`, '', 0o600);
    equal(host.readFileInRoot(`${dir}/r`, '/file/x', 100), 'whiteout');
    equal(host.readFileInRoot(`${dir}/r`, '/opaque/x', 100), 'absent');
    const set = host.run({
      argv: ['setfattr', '-n', 'user.overlay.opaque', '-v', 'y', `${dir}/r/opaque`],
      stderr: 'capture',
    });
    if (set.status === 0) {
      equal(host.readFileInRoot(`${dir}/r`, '/opaque/x', 100), 'whiteout');
      equal(host.readFileInRoot(`${dir}/r`, '/opaque/sub/x', 100), 'whiteout');
    }
    if (root) {
      equal(host.run({ argv: ['mknod', `${dir}/r/gone`, 'c', '0', '0'] }).status, 0);
      equal(host.readFileInRoot(`${dir}/r`, '/gone', 100), 'whiteout');
      equal(host.readFileInRoot(`${dir}/r`, '/gone/below', 100), 'whiteout');
    }
    check(set.status === 0 || set.stderr !== '', 'setfattr says why');
  },
  'removeTree refuses what is mounted below': ({ host, dir, root }) => {
    if (!root) return;
    host.mkdirs(`${dir}/t/m`, 0o755);
    equal(host.run({ argv: ['mount', '-t', 'tmpfs', 'tmpfs', `${dir}/t/m`] }).status, 0);
    host.writeFile(`${dir}/t/m/f`, 'kept', 0o600);
    try {
      fails('EBUSY', () => host.removeTree(`${dir}/t`));
      equal(host.readFile(`${dir}/t/m/f`), 'kept');
    } finally {
      host.run({ argv: ['umount', `${dir}/t/m`] });
    }
    equal(host.removeTree(`${dir}/t`), true);
  },
};
