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
    ['mount', 'type=bind,src=/same'],
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
  assert.equal(mounts[4]?.target, '/same');
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
});

const BAD: readonly (readonly [string, string, string])[] = [
  ['volume', 'a:b', '--volume a:b: the target b is not an absolute path'],
  ['volume', '/a:/b:ro,rw', '--volume /a:/b:ro,rw: ro and rw exclude each other'],
  ['volume', '/a:/b:xx', '--volume /a:/b:xx: xx is not an option of a volume'],
  ['volume', '/a:/', '--volume /a:/: nothing can be mounted on /'],
  ['volume', ':/a', '--volume :/a: the source is empty'],
  ['volume', 'a b:/x', '--volume a b:/x: a b is neither a path nor a name of a volume'],
  ['mount', 'type=bind,dst=/x', '--mount type=bind,dst=/x: type=bind needs source='],
  ['mount', 'type=foo,dst=/x', '--mount type=foo,dst=/x: there is no type foo'],
  ['mount', 'type=tmpfs', '--mount type=tmpfs: target= is missing'],
  [
    'mount',
    'type=bind,src=/a,dst=/b,"x',
    '--mount type=bind,src=/a,dst=/b,"x: a quote is open or stands inside a field',
  ],
  [
    'mount',
    'type=volume,src=v,dst=/v,subpath=../x',
    '--mount type=volume,src=v,dst=/v,subpath=../x: subpath=../x is not understood',
  ],
  ['tmpfs', '/t:size=x', '--tmpfs /t:size=x: size=x is not an option of a tmpfs'],
  ['publish', '99999:80', '--publish 99999:80: 99999 is not a port from 1 to 65535'],
  ['publish', '80-81:80', '--publish 80-81:80: 2 ports outside but 1 inside'],
  ['publish', '80/icmp', '--publish 80/icmp: icmp is not tcp, udp or sctp'],
  ['publish', '1.2.3:80:80', '--publish 1.2.3:80:80: 1.2.3 is not an IP address'],
  ['user', '4294967295', '--user 4294967295: 4294967295 is not an id from 0 to 4294967294'],
  ['user', '-1', '--user -1: -1 is not an id from 0 to 4294967294'],
  ['user', '0:4294967296', '--user 0:4294967296: 4294967296 is not an id from 0 to 4294967294'],
  ['uidmap', '0:4294967295:1', '--uidmap 0:4294967295:1: not understood'],
  ['userns', 'keep-id:uid=-1', '--userns keep-id:uid=-1: uid=-1 is not an id from 0 to 4294967294'],
  ['userns', 'what', '--userns what: there is no such mode'],
  ['name', '../x', '--name ../x: not a name'],
  ['memory', '12q', '--memory 12q: not a size such as 64m'],
  ['stop-signal', 'FOO', '--stop-signal FOO: not a signal such as SIGTERM or 15'],
  ['ulimit', 'constructor=1', '--ulimit constructor=1: there is no limit constructor'],
  ['ulimit', 'nofile=2:1', '--ulimit nofile=2:1: the soft limit is above the hard limit'],
  ['pull', 'constructor', '--pull constructor: there is no such choice'],
  ['security-opt', 'bogus=1', '--security-opt bogus=1: there is no such option'],
  ['security-opt', 'mask=etc', '--security-opt mask=etc: etc is not an absolute path below /'],
  ['sysctl', 'a', '--sysctl a: write NAME=VALUE, e.g. net.core.somaxconn=1024'],
  ['sysctl', '../x=1', '--sysctl ../x=1: write NAME=VALUE, e.g. net.core.somaxconn=1024'],
  ['device', 'nvidia.com/gpu=all', '--device nvidia.com/gpu=all: CDI names are not in this version of Berth'],
  ['device', '/dev/x:/dev/y:q', '--device /dev/x:/dev/y:q: q is not made of r, w and m'],
  ['env', '=x', '--env =x: the name is empty'],
  ['env-file', '/none', '--env-file /none: the file cannot be read'],
  ['hostname', 'a b', '--hostname a b: not a host name'],
  ['add-host', 'a:b', '--add-host a:b: b is not an IP address'],
  ['dns-search', 'a\nnameserver', '--dns-search a\\x0anameserver: it must be one word'],
  ['tz', '../../etc/passwd', '--tz ../../etc/passwd: not a time zone'],
  ['cgroup-conf', 'cgroup.procs=1', '--cgroup-conf cgroup.procs=1: not the file of a controller and its value'],
  ['network', 'slirp4netns', '--network slirp4netns: slirp4netns is not supported'],
  ['umask', '0999', '--umask 0999: not an octal mask such as 0022'],
];

test('a bad value is one line that names option, value and what is right', () => {
  for (const [option, value, message] of BAD) assert.deepEqual(problems([[option, value]]), [message]);
});

test('all problems are reported, not the first alone', () => {
  assert.equal(
    problems([
      ['publish', 'x'],
      ['memory', 'x'],
      ['user', 'a b'],
      ['volume', 'x:y'],
    ]).length,
    4,
  );
});

test('options that contradict each other', () => {
  const one = (options: readonly (readonly [string, string])[]): string | undefined => problems(options)[0];
  assert.match(
    one([
      ['userns', 'keep-id'],
      ['uidmap', '0:0:1'],
    ]) ?? '',
    /excludes --uidmap/,
  );
  assert.match(
    one([
      ['network', 'host'],
      ['publish', '80:80'],
    ]) ?? '',
    /--publish has no effect/,
  );
  assert.match(
    one([
      ['publish', '80:80'],
      ['publish', '127.0.0.1:80:81'],
    ]) ?? '',
    /published twice/,
  );
  assert.match(
    one([
      ['volume', '/a:/x'],
      ['tmpfs', '/x'],
    ]) ?? '',
    /already mounted on \/x/,
  );
  assert.match(one([['memory-swap', '1g']]) ?? '', /needs --memory/);
  assert.match(
    one([
      ['network', 'none'],
      ['network', 'web'],
    ]) ?? '',
    /cannot be combined/,
  );
  assert.match(
    one([
      ['cpus', '1'],
      ['cpu-quota', '5'],
    ]) ?? '',
    /excludes/,
  );
});

test('an absent image is one line', () => {
  assert.deepEqual(problems([], []), ['the image is missing']);
});
