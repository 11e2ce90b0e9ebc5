import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { main as check } from '../../../src/verbs/check.ts';

const START: Readonly<Record<string, string>> = {
  container: '[Container]\nImage=localhost/a:1\n',
  pod: '[Pod]\n',
  volume: '[Volume]\n',
  network: '[Network]\n',
  image: '[Image]\n',
  artifact: '[Artifact]\n',
  build: '[Build]\nFile=/a/Containerfile\n',
  kube: '[Kube]\nYaml=/a.yaml\n',
};

/** What is said of a unit with these lines, without what is said of each unit of its type. */
function told(type: string, lines: string): string[] {
  const files = { [`/q/a.${type}`]: `${START[type] ?? ''}${lines}\n` };
  const calls = { realpath: (path: string) => path, cwd: () => '/q' };
  const host = fakeHost({ argv: ['berth', 'check', `a.${type}`], files, calls });
  check(host);
  const out = host.written.out.split('\n').filter(line => line.startsWith('/q/') && !line.includes('have the verb'));
  return out.map(line => line.replace(`/q/a.${type}:`, ''));
}

const REFUSED = 'error: the start would refuse this: ';

for (const [type, lines, said] of [
  ['pod', 'ExitPolicy=stopp', `2:12: ${REFUSED}--exit-policy stopp: use stop or continue`],
  ['pod', 'UserNS=keepid', `2:8: ${REFUSED}--userns keepid: there is no such mode`],
  ['pod', 'StopTimeout=ten', `2:13: ${REFUSED}--time is \`ten\``],
  ['pod', 'DNS=1.1.1.1\nDNS=1.1.1', `3:5: ${REFUSED}--dns 1.1.1: not an IP address`],
  ['pod', 'AddHost=web', `2:9: ${REFUSED}--add-host web: not understood`],
  ['pod', 'Network=container:x', `2:9: ${REFUSED}--network container:x: it is for containers, not for pods`],
  [
    'pod',
    'Network=none\nIP=10.0.0.1',
    `3:4: ${REFUSED}--ip ip=10.0.0.1: an address needs exactly one network that gives addresses`,
  ],
  ['pod', 'PodmanArgs=--nope', `2:12: ${REFUSED}unknown option --nope`],
  [
    'pod',
    'PodmanArgs=--share pidd',
    `2:20: ${REFUSED}--share pidd: pidd cannot be shared; use ipc, net, pid, uts or none`,
  ],
  [
    'container',
    'Network=host\nPublishPort=80:80',
    '4:13: warning: --publish has no effect with --network host: nothing is published',
  ],
  ['pod', 'PodmanArgs=--memory 1g', `2:12: ${REFUSED}--memory is not supported`],
  [
    'pod',
    'PodmanArgs=--infra=false',
    `2:12: ${REFUSED}--infra=false: a pod always has a holder; write --share none, and nothing is shared`,
  ],
  ['container', 'Tmpfs=/tmp\nTmpfs=/tmp:foo', `4:7: ${REFUSED}--tmpfs /tmp:foo: foo is not an option of a tmpfs`],
  [
    'container',
    'Volume=/a:/x\nVolume=/a:/x:bad',
    `4:8: ${REFUSED}--volume /a:/x:bad: bad is not an option of a volume`,
  ],
  [
    'container',
    'PublishPort=80:80\nPublishPort=1.2:80:80',
    `4:13: ${REFUSED}--publish 1.2:80:80: 1.2 is not an IP address`,
  ],
  [
    'container',
    'Tmpfs=/tmp\nPodmanArgs=--tmpfs /tmp:foo',
    `4:20: ${REFUSED}--tmpfs /tmp:foo: foo is not an option of a tmpfs`,
  ],
  [
    'network',
    'Subnet=10.0.0.0/16\nSubnet=10.0.1.0/24',
    `3:8: ${REFUSED}--subnet 10.0.1.0/24: overlaps --subnet 10.0.0.0/16`,
  ],
  [
    'network',
    'Subnet=10.0.1.0/24\nSubnet=10.0.0.0/16',
    `3:8: ${REFUSED}--subnet 10.0.0.0/16: overlaps --subnet 10.0.1.0/24`,
  ],
  [
    'container',
    'PodmanArgs=--memory=1g \\\n  --pids-limit=5 \\\n  --foo \\\n  --rm',
    `5:3: ${REFUSED}unknown option --foo`,
  ],
  [
    'container',
    'PodmanArgs=--rm \\\n  --tmpfs=/tmp:foo',
    `4:11: ${REFUSED}--tmpfs /tmp:foo: foo is not an option of a tmpfs`,
  ],
  ['container', 'GlobalArgs=foo', `3:12: ${REFUSED}foo is no global option, but would be taken for the verb`],
  [
    'container',
    'GlobalArgs=--log-level debug --',
    `3:12: ${REFUSED}-- is no global option, but would be taken for the verb`,
  ],
  ['pod', 'GlobalArgs=--log-level=debug x', `2:30: ${REFUSED}x is no global option, but would be taken for the verb`],
  ['volume', 'Driver=nfs', `2:8: ${REFUSED}--driver nfs: there is no such volume driver; use local or image`],
  ['volume', 'Device=x\nType=bind', `2:8: ${REFUSED}volume systemd-a: device x is no absolute path`],
  ['volume', 'Options=size=1g', `2:9: ${REFUSED}--opt o=size=1g: without a device only uid= and gid= have a meaning`],
  ['volume', 'Label==x', `2:7: ${REFUSED}--label =x: the name is empty; write NAME=VALUE`],
  [
    'network',
    'Driver=bridg',
    `2:8: ${REFUSED}--driver bridg: there is no such network driver; use bridge, macvlan or ipvlan`,
  ],
  ['network', 'Subnet=10.0.0.0/33', `2:8: ${REFUSED}--subnet 10.0.0.0/33: not a subnet such as 10.91.0.0/24`],
  [
    'network',
    'Subnet=10.0.0.0/24\nGateway=10.1.0.1',
    `3:9: ${REFUSED}--gateway 10.1.0.1: the gateway is outside of 10.0.0.0/24`,
  ],
  ['network', 'Subnet=10.0.0.0/24\nIPRange=x', `3:9: ${REFUSED}--ip-range x: neither a subnet nor FIRST-LAST`],
  ['network', 'Options=mtu=abc', `2:9: ${REFUSED}--opt mtu=abc: the value is not understood`],
  ['network', 'Options=isolate=yess', `2:9: ${REFUSED}--opt isolate=yess: the value is not understood`],
  ['network', 'Options=mode=l3', `2:9: ${REFUSED}--opt mode=l3: the value is not understood`],
  ['network', 'DNS=dns.example', `2:5: ${REFUSED}--dns dns.example: not an IP address`],
  [
    'network',
    'InterfaceName=averyverylongname',
    `2:15: ${REFUSED}--interface-name averyverylongname: not a name of at most 15 letters`,
  ],
  ['network', 'IPAMDriver=dhcpp', `2:12: ${REFUSED}--ipam-driver dhcpp: use host-local, dhcp or none`],
  [
    'image',
    'Image=localhost/a:1\nPolicy=allways',
    `3:8: ${REFUSED}--policy allways: not one of always, missing, never, newer`,
  ],
  ['image', 'Image=docker.io/Foo/a', `2:7: ${REFUSED}--image docker.io/Foo/a: not the name of an image`],
  ['image', 'Image=localhost/a:1\nDecryptionKey=/k', `3:15: ${REFUSED}--decryption-key is not supported`],
  ['artifact', 'Artifact=quay.io/a/b:1:2', `2:10: ${REFUSED}--image quay.io/a/b:1:2: not the name of an image`],
  ['build', 'ImageTag=localhost/a b', `3:10: ${REFUSED}--image localhost/a b: not the name of an image`],
  [
    'build',
    'ImageTag=localhost/a\nPull=allways',
    `4:6: ${REFUSED}--pull allways: use always, missing, never, newer, true, false`,
  ],
  ['build', 'ImageTag=localhost/a\nVolume=/a:b', `4:8: ${REFUSED}--volume /a:b: the target b is not an absolute path`],
  ['kube', 'LogDriver=jurnald', `3:11: ${REFUSED}--log-driver jurnald: there is no such choice`],
  [
    'container',
    'ContainersConfModule=/etc/x.conf',
    `3:22: ${REFUSED}--module /etc/x.conf is not supported: containers.conf is not read`,
  ],
  [
    'container',
    'PodmanArgs=--memory 1g stray',
    `3:24: ${REFUSED}stray is no option, but run would take it as its first operand`,
  ],
  [
    'container',
    'Sysctl=vm.max_map_count=1',
    `3:8: ${REFUSED}--sysctl vm.max_map_count=1: no namespace holds this parameter`,
  ],
  [
    'container',
    'Network=bridge:ipp=10.0.0.1',
    `3:9: ${REFUSED}--network bridge:ipp=10.0.0.1: option ipp=10.0.0.1 is not understood`,
  ],
  [
    'container',
    'LogDriver=k8s-file\nLogOpt=max-size=abc',
    `4:8: ${REFUSED}--log-opt max-size=abc: not a size such as 10m`,
  ],
  [
    'container',
    'LogOpt=max-size=10m',
    '3:8: warning: --log-opt max-size: the log driver journald has no such option; it is left out',
  ],
] as const) {
  test(`[${type}] ${lines.replaceAll('\n', ', ')}`, () => {
    assert.ok(told(type, lines).includes(said), `${said}\n${told(type, lines).join('\n')}`);
  });
}

test('all problems of a unit are told, not the first alone', () => {
  const lines = 'Driver=bridg\nOptions=mttu=1 mtu=x\nDNS=a\nLabel==x\nSubnet=10.0.0.0/24\nGateway=10.1.0.1';
  assert.deepEqual(
    told('network', lines).map(line => line.slice(0, line.indexOf(': '))),
    ['2:8', '3:9', '3:16', '4:5', '5:7', '7:9'],
  );
});

test('what is right, and what systemd expands, is left alone', () => {
  const fine: Readonly<Record<string, readonly string[]>> = {
    pod: [
      'UserNS=keep-id:uid=1\nPublishPort=80:80\nNetwork=bridge',
      'DNS=$RESOLVER\nVolume=%h:/x',
      'ExitPolicy=continue',
    ],
    volume: [
      'Driver=local\nUser=0\nLabel=a=b',
      'Device=/x\nType=bind',
      'Type=tmpfs\nDevice=tmpfs\nOptions=size=1g',
      'UID=5',
      'Device=%h/x\nType=bind',
    ],
    network: [
      'Subnet=10.0.0.0/24\nGateway=10.0.0.1\nIPRange=10.0.0.0/25',
      'Options=mtu=1400 isolate=true',
      'Subnet=%i',
      'NetworkName=a-%i',
    ],
    image: [
      'Image=docker.io/library/a:1',
      'Image=docker.io/library/a@sha256:' + 'a'.repeat(64),
      'Image=docker.io/a/%i:1\nRetry=3\nRetryDelay=5s',
    ],
    container: ['Pull=newer\nReloadSignal=HUP\nSysctl=net.core.somaxconn=1', 'PodmanArgs=--memory 1g --cpus=2'],
  };
  for (const [type, all] of Object.entries(fine)) {
    for (const lines of all) assert.deepEqual(told(type, lines), [], `${type}: ${lines}`);
  }
});

test('global options, values of theirs among them, are no stray words', () => {
  for (const type of ['container', 'volume', 'pod'])
    assert.deepEqual(told(type, 'GlobalArgs=--log-level debug --cgroup-manager=systemd'), [], type);
});

test('one mistake is told in one wording', () => {
  assert.deepEqual(told('container', 'Volume="/a b:/c"'), [
    `3:8: ${REFUSED}--volume "/a b:/c": "/a b is neither a path nor a name of a volume`,
  ]);
  assert.deepEqual(told('container', 'ContainerName=a:b'), ['3:15: error: `ContainerName=a:b` has the wrong form']);
  assert.deepEqual(told('volume', 'Driver=image'), [
    '2:8: error: the key Image is mandatory when using the image driver',
  ]);
  assert.deepEqual(told('volume', 'Driver=image\nImage=q.io/x:1\nDevice=/d'), [
    '4:1: warning: `Device=` has no effect with Driver=image',
  ]);
});
