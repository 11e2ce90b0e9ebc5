import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUN } from '../../../src/command/options-run.ts';
import { hasHandler } from '../../../src/plan/parse-options.ts';
import { parse, problems } from './helpers.ts';

test('every option of the table that is not refused is understood', () => {
  const missing = RUN.options.filter(row => row.refused === undefined && !hasHandler(row.name)).map(row => row.name);
  assert.deepEqual(missing, []);
});

test('the least request', () => {
  const request = parse([]);
  assert.equal(request.image, 'img');
  assert.equal(request.name, 'c1');
  assert.equal(request.umask, 0o022);
  assert.equal(request.pull, 'missing');
  assert.deepEqual(request.userns, { kind: 'default' });
});

test('volumes', () => {
  const { mounts } = parse([
    ['volume', '/src:/a:ro,z'],
    ['volume', 'data:/data:nocopy,U'],
    ['volume', '/anon/'],
    ['volume', './x:/x:rslave,bind,noexec'],
    ['volume', '/i:/i:idmap=uids=0-1-10'],
  ]);
  assert.deepEqual(
    mounts.map(m => [m.kind, 'source' in m ? m.source : '', m.target]),
    [
      ['bind', '/src', '/a'],
      ['volume', 'data', '/data'],
      ['volume', '', '/anon'],
      ['bind', '/work dir/x', '/x'],
      ['bind', '/i', '/i'],
    ],
  );
  const options = mounts.map(m => (m.kind === 'tmpfs' ? undefined : m.options));
  assert.deepEqual(options[0], {
    readOnly: true,
    chown: false,
    copy: true,
    overlay: false,
    recursive: true,
    flags: [],
    relabel: 'shared',
  });
  assert.equal(options[1]?.copy, false);
  assert.equal(options[1].chown, true);
  assert.deepEqual([options[3]?.recursive, options[3]?.propagation, options[3]?.flags], [false, 'rslave', ['noexec']]);
  assert.equal(options[4]?.idmap, 'uids=0-1-10');
});

test('--mount', () => {
  const { mounts } = parse([
    ['mount', 'type=bind,"src=/a,b",dst=/c,ro=true,bind-propagation=shared'],
    ['mount', 'type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1777,notmpcopyup'],
    ['mount', 'type=volume,source=v,target=/v,U,subpath=x/y'],
    ['mount', 'dst=/anon'],
  ]);
  assert.deepEqual(mounts[0], {
    kind: 'bind',
    source: '/a,b',
    target: '/c',
    options: {
      readOnly: true,
      chown: false,
      copy: true,
      overlay: false,
      recursive: true,
      flags: [],
      propagation: 'shared',
    },
  });
  assert.deepEqual(mounts[1], { kind: 'tmpfs', target: '/t', options: ['size=1048576', 'mode=1777'], copyUp: false });
  assert.equal(mounts[2]?.kind === 'volume' && mounts[2].subpath, 'x/y');
  assert.deepEqual([mounts[3]?.kind, mounts[3]?.target], ['volume', '/anon']);
});

test('--tmpfs', () => {
  const { mounts } = parse([['tmpfs', '/tmp:rw,size=512M,mode=1777']]);
  assert.deepEqual(mounts, [
    { kind: 'tmpfs', target: '/tmp', options: ['rw', 'size=536870912', 'mode=1777'], copyUp: true },
  ]);
});

test('ports', () => {
  const port = (value: string) => parse([['publish', value]]).ports[0];
  const base = { hostAddress: '', hostPort: 0, count: 1, protocol: 'tcp' };
  assert.deepEqual(port('80'), { ...base, port: 80 });
  assert.deepEqual(port('8080:80/udp'), { ...base, hostPort: 8080, port: 80, protocol: 'udp' });
  assert.deepEqual(port('127.0.0.1::80'), { ...base, hostAddress: '127.0.0.1', port: 80 });
  assert.deepEqual(port('[::1]:8080:80'), { ...base, hostAddress: '::1', hostPort: 8080, port: 80 });
  assert.deepEqual(port('8000-8003:80-83'), { ...base, hostPort: 8000, port: 80, count: 4 });
  assert.equal(parse([['publish', '80:80,443:443']]).ports.length, 2);
});

test('environment: ours, then files, then words', () => {
  const request = parse([
    ['env', 'X=1'],
    ['env', 'LANG'],
    ['env', 'NOT_SET'],
    ['env-file', '/e.env'],
    ['env', 'P_*'],
    ['env', 'E='],
  ]);
  const file = ['A=1', 'B=x y # z', 'HOME=/root', 'P_1=a', 'P_2=b', 'C="q"'];
  assert.deepEqual(request.environment, [...file, 'X=1', 'LANG=C', 'P_1=a', 'P_2=b', 'E=']);
});

test('T35: --env-host never passes what systemd says to the service', () => {
  const request = parse([['env-host', 'true']]);
  assert.deepEqual(request.environment, ['HOME=/root', 'LANG=C', 'P_1=a', 'P_2=b']);
});

test('security options', () => {
  const request = parse([
    ['security-opt', 'no-new-privileges'],
    ['security-opt', 'seccomp=/p.json'],
    ['security-opt', 'label=disable'],
    ['security-opt', 'label:type:spc_t'],
    ['security-opt', 'mask=/a:/b/'],
    ['security-opt', 'unmask=all'],
    ['security-opt', 'apparmor=unconfined'],
  ]);
  assert.equal(request.noNewPrivileges, true);
  assert.equal(request.seccomp, '/p.json');
  assert.deepEqual(request.selinux, { disable: true, type: 'spc_t' });
  assert.deepEqual(request.mask, ['/a', '/b']);
  assert.deepEqual(request.unmask, ['ALL']);
  assert.equal(request.apparmor, 'unconfined');
});

test('user namespaces', () => {
  assert.deepEqual(parse([['userns', 'keep-id:uid=5,gid=6']]).userns, { kind: 'keep-id', uid: 5, gid: 6 });
  assert.deepEqual(parse([['userns', 'auto:size=4096']]).userns, {
    kind: 'auto',
    size: 4096,
    uidMaps: [],
    gidMaps: [],
  });
  assert.deepEqual(parse([['userns', '']]).userns, { kind: 'host' });
  assert.deepEqual(parse([['uidmap', '+5:@1000:2']]).userns, { kind: 'maps', uidMaps: ['+5:@1000:2'], gidMaps: [] });
});

test('what else is understood', () => {
  const request = parse(
    [
      ['ulimit', 'nofile=100:200'],
      ['ulimit', 'core=-1'],
      ['device', '/dev/fuse'],
      ['device', '/dev/null:/dev/x:r'],
      ['sysctl', 'net.core.somaxconn=5'],
      ['add-host', 'a;b:10.0.0.1'],
      ['entrypoint', '["a", "b c"]'],
      ['stop-signal', 'SIGRTMIN+3'],
      ['memory', '10m'],
      ['cpu-quota', '50000'],
      ['ip', '10.88.0.5'],
      ['group-add', 'keep-groups'],
    ],
    ['img', 'x', '-y'],
  );
  assert.deepEqual(request.ulimits, [
    { type: 'nofile', soft: 100, hard: 200 },
    { type: 'core', soft: 'unlimited', hard: 'unlimited' },
  ]);
  assert.deepEqual(request.devices, [
    { host: '/dev/fuse', target: '/dev/fuse', access: 'rwm' },
    { host: '/dev/null', target: '/dev/x', access: 'r' },
  ]);
  assert.deepEqual(request.sysctls, { 'net.core.somaxconn': '5' });
  assert.deepEqual(request.addHosts, [
    { name: 'a', address: '10.0.0.1' },
    { name: 'b', address: '10.0.0.1' },
  ]);
  assert.deepEqual(request.entrypoint, ['a', 'b c']);
  assert.equal(request.stopSignal, 37);
  assert.equal(request.resources.memory, 10485760);
  assert.deepEqual(request.resources.unified, { 'cpu.max': '50000 100000' });
  assert.deepEqual(request.networks, ['bridge:ip=10.88.0.5']);
  assert.deepEqual(request.command, ['x', '-y']);
});

test('--rootfs', () => {
  assert.deepEqual(parse([['rootfs', 'true']], ['/r:O', 'sh']).rootfs, { path: '/r', overlay: true });
  assert.deepEqual(parse([['rootfs', 'true']], ['r']).rootfs, { path: '/work dir/r', overlay: false });
  assert.deepEqual(parse([['rootfs', 'true']], ['/r:idmap']).rootfs, { path: '/r', overlay: false, idmap: true });
});

test('labels of files are below those of --label', () => {
  const { labels } = parse([
    ['label', 'A=mine'],
    ['label-file', '/l.labels'],
  ]);
  assert.deepEqual(labels, { A: 'mine', HOME: '/root', D: 'x y' });
  assert.match(problems([['label-file', '/nowhere']])[0] ?? '', /--label-file \/nowhere: the file cannot be read/);
  assert.match(problems([['label-file', '/bad.labels']])[0] ?? '', /bad.labels:2: the name holds a blank/);
});

test('--rmi implies --rm', () => {
  assert.equal(parse([['rmi', 'true']]).remove, true);
  assert.match(
    problems([
      ['rmi', 'true'],
      ['rm', 'false'],
    ])[0] ?? '',
    /--rm false: --rmi removes the container, too/,
  );
  assert.equal(parse([['timeout', '5']]).timeout, 5);
  assert.match(problems([['timeout', '-1']])[0] ?? '', /--timeout -1: not a number of seconds/);
});
