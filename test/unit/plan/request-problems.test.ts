import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problems } from './helpers.ts';

const BAD: readonly (readonly [string, string, string])[] = [
  ['volume', 'a:b', '--volume a:b: the target b is not an absolute path'],
  ['volume', '/a:/b:ro,rw', '--volume /a:/b:ro,rw: ro and rw exclude each other'],
  ['volume', '/a:/b:xx', '--volume /a:/b:xx: xx is not an option of a volume'],
  ['volume', '/a:/', '--volume /a:/: nothing can be mounted on /'],
  ['volume', ':/a', '--volume :/a: the source is empty'],
  ['volume', 'a b:/x', '--volume a b:/x: a b is neither a path nor a name of a volume'],
  ['volumes-from', 'a:ro,rw', '--volumes-from a:ro,rw: ro and rw exclude each other'],
  ['volumes-from', '-a', '--volumes-from -a: not the name or id of a container'],
  ['volumes-from', 'a:b:c', '--volumes-from a:b:c: not the name or id of a container'],
  ['restart', 'often', '--restart often: not a policy: no, always, unless-stopped, on-failure or on-failure:N'],
  ['mount', 'type=bind,src=/x', '--mount type=bind,src=/x: target= is missing'],
  ['log-opt', 'tag', '--log-opt tag: write NAME=VALUE'],
  ['annotation', 'a', '--annotation a: the value is missing'],
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
  [
    'mount',
    'type=bind,src=/a,dst=/b,subpath=c',
    '--mount type=bind,src=/a,dst=/b,subpath=c: subpath is not an option of type=bind',
  ],
  [
    'mount',
    'type=tmpfs,dst=/b,subpath=c',
    '--mount type=tmpfs,dst=/b,subpath=c: subpath is not an option of type=tmpfs',
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

test('one host port is published once for each address and family', () => {
  const both = (one: string, other: string): string[] =>
    problems([one, other].map(value => ['publish', value] as const));
  assert.deepEqual(both('0.0.0.0:80:80', '[::]:80:80'), []);
  assert.deepEqual(both('[::]:80:80', '127.0.0.1:80:80'), []);
  assert.deepEqual(both('0.0.0.0:80:80', '[::1]:80:80'), []);
  for (const [one, other, shown] of [
    ['80:80', '[::]:80:80', ':::80'],
    ['0.0.0.0:80:80', '80:81', '80'],
    ['0.0.0.0:80:80', '127.0.0.1:80:81', '127.0.0.1:80'],
    ['[::]:80:80', '[::1]:80:81', '::1:80'],
  ] as const)
    assert.deepEqual(both(one, other), [`--publish ${shown}: the tcp port is published twice`]);
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

test('messages are byte strings', () => {
  for (const [option, value] of BAD) {
    for (const message of problems([[option, value]])) assert.match(message, /^[\x20-\x7e]*$/);
  }
});
