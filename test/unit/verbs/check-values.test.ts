import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { HostError } from '../../../src/host/host.ts';
import { main as check } from '../../../src/verbs/check.ts';

const HOST: Readonly<Record<string, string>> = {
  '/usr/share/zoneinfo/Europe/Berlin': 'TZif2',
  '/proc/sys/net/core/somaxconn': '4096\n',
  '/etc/subuid': 'alice:100000:65536\n',
  '/etc/subgid': 'alice:100000:65536\n',
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n',
};

function run(words: readonly string[], files: Readonly<Record<string, string>>): string[] {
  const calls = { realpath: (path: string) => path, cwd: () => '/q' };
  const host = fakeHost({ argv: ['berth', 'check', ...words], files: { ...HOST, ...files }, calls });
  check(host);
  return host.written.out.split('\n').filter(line => line.startsWith('/'));
}

const IMAGE = '[Container]\nImage=localhost/a:1\n';
const told = (lines: string): string[] =>
  run(['a.container'], { '/q/a.container': `${IMAGE}${lines}\n` }).map(line => line.replace('/q/a.container:', ''));

for (const [lines, said] of [
  ['ServiceName=web.service', '3:13: warning: `ServiceName=web.service`: the service would be web.service.service'],
  ['DNSOption=ndot:2', '3:11: warning: `DNSOption=ndot:2`: resolvers pass over options that they do not know'],
  ['DNSSearch=a..b', '3:11: warning: `DNSSearch=a..b`: not the name of a domain'],
  ['GroupAdd=keep-group', '3:10: warning: `GroupAdd=keep-group`: a group of this name is wanted'],
  ['ReloadSignal=SIGHPU', '3:14: error: `ReloadSignal=SIGHPU`: there is no such signal'],
  [
    'Entrypoint=["a"',
    '3:12: warning: `Entrypoint=["a"`: begins like a JSON list, but is none: the whole value would be one word',
  ],
  ['Entrypoint=sleep 5', '3:12: warning: `Entrypoint=sleep 5`: all of it would be the name of one program'],
  ['HealthCmd=port:abc', '3:11: warning: `HealthCmd=port:abc`: would be run as a command'],
  [
    'HealthCmd=["a"',
    '3:11: warning: `HealthCmd=["a"`: begins like a JSON list, but is none: the whole value would be one word',
  ],
  ['SecurityLabelLevel=c1', '3:20: warning: `SecurityLabelLevel=c1`: not a level of SELinux'],
  ['SeccompProfile=unconfind', '3:16: error: `SeccompProfile=unconfind`: neither unconfined nor an absolute path'],
  ['AppArmor=unconfind', '3:10: warning: `AppArmor=unconfind`: a profile of this name is wanted'],
  ['EnvironmentFile=-/etc/x', '3:17: error: `EnvironmentFile=-/etc/x`: the `-` is a part of the path here'],
  [
    'Environment=A=b c',
    '3:17: warning: `Environment=`: `c` is a word of its own: it passes the variable of this name on, if the unit has it',
  ],
  ['Timezone=Europe/Berln', '3:10: warning: `Timezone=Europe/Berln`: no such time zone in /usr/share/zoneinfo'],
  [
    'Sysctl=net.core.somaxcon=1',
    '3:8: warning: `Sysctl=net.core.somaxcon=1`: the kernel of this machine has no such parameter',
  ],
  ['SubUIDMap=alcie', '3:11: warning: `SubUIDMap=alcie`: /etc/subuid of this machine has no such name'],
  ['Notify=healthy', '3:8: warning: `Notify=healthy`: there is no HealthCmd='],
  ['HealthOnFailure=kill', '3:17: warning: `HealthOnFailure=kill`: there is no HealthCmd='],
  ['Network=hots', '3:9: warning: no .network file defines the network `hots`'],
  ['Mount=type=volume,source=data,target=/d', '3:26: warning: no .volume file defines the volume `data`'],
] as const) {
  test(`named by check: ${lines}`, () => {
    assert.ok(told(lines).includes(said), `${said}\n${told(lines).join('\n')}`);
  });
}

test('what is meant as it stands there is left alone', () => {
  const fine = [
    'ServiceName=web\nReloadSignal=SIGRTMIN+3',
    'DNSOption=ndots:2\nDNSOption=edns0\nDNSSearch=.\nDNSSearch=a.example.',
    'GroupAdd=keep-groups',
    'GroupAdd=wheel',
    'Entrypoint=["a", "b c"]\nHealthCmd=[ -f /x ]',
    'HealthCmd=http:80/x\nNotify=healthy\nHealthOnFailure=kill',
    'Entrypoint=/a\nHealthCmd=none',
    'SecurityLabelLevel=s0:c1,c2\nSecurityLabelType=spc_t',
    'SeccompProfile=unconfined\nAppArmor=unconfined',
    'Environment="A=b c" B=c\nEnvironment=HOME LANG',
    'Timezone=Europe/Berlin',
    'Timezone=local\nSysctl=net.core.somaxconn=1 net.ipv4.conf.eth9.forwarding=1',
    'SubUIDMap=alice\nSubGIDMap=alice',
    'Network=pasta:--map-gw',
  ];
  for (const lines of fine) assert.deepEqual(told(lines), [], lines);
});

test('files of this machine are looked for in the units that it runs, not in others', () => {
  const lines = [
    'AddDevice=/dev/none',
    'EnvironmentFile=/e.env',
    'SeccompProfile=/s.json',
    'Volume=/none:/x',
    'Mount=type=bind,source=/no,target=/y',
  ];
  const text = `${IMAGE}${lines.join('\n')}\nAddDevice=-/dev/maybe\nVolume=%h/x:/z\n`;
  const path = '/etc/containers/systemd/a.container';
  const said = run([], { [path]: text });
  assert.deepEqual(
    said.filter(line => line.includes('is no such')).map(line => line.split(':')[1]),
    ['3', '4', '5', '6', '7'],
  );
  assert.deepEqual(run([path], { [path]: text }), said);
  assert.deepEqual(run(['a.container'], { '/q/a.container': text }), []);
});

test('units that this version cannot start are told as such', () => {
  const files = {
    '/q/a.kube': '[Kube]\nYaml=/a.yaml\n',
    '/q/b.build': '[Build]\nImageTag=localhost/b\nFile=/C\n',
    '/q/c.artifact': '[Artifact]\nArtifact=quay.io/a/b:1\n',
  };
  assert.deepEqual(run(['/q'], files), [
    '/q/a.kube: warning: this version of Berth does not have the verb `kube play` yet: the unit fails when it starts',
    '/q/b.build: warning: this version of Berth does not have the verb `build` yet: the unit fails when it starts',
    '/q/c.artifact: warning: this version of Berth does not have the verb `artifact pull` yet: the unit fails when it starts',
  ]);
});

test('a path that cannot be looked at ends no run', () => {
  const calls = {
    realpath: (path: string) => path,
    cwd: () => '/q',
    stat: (path: string) => {
      if (path.startsWith('/closed')) throw new HostError('stat', 'EACCES', 13, 'permission denied', path);
      if (path.startsWith('/circle')) throw new HostError('stat', 'ELOOP', 40, 'too many links', path);
      return plain.stat(path);
    },
  };
  const path = '/etc/containers/systemd/a.container';
  const files = { [path]: `${IMAGE}AddDevice=-/closed/d -/circle/d\nVolume=/closed/v:/v\nVolume=/circle/v:/w\n` };
  const plain = fakeHost({ files });
  const host = fakeHost({ argv: ['berth', 'check'], files, calls });
  assert.equal(check(host), 0);
  assert.match(
    host.written.out,
    /^[^\n]*:5:8: warning: `Volume=\/circle\/v:\/w`: there is no such path on this machine\n/,
  );
  const text = `${IMAGE}Sysctl=net/../../closed/x=1\n`;
  const sysctl = fakeHost({
    argv: ['berth', 'check'],
    files: { ...HOST, [path]: text },
    calls: {
      ...calls,
      stat: (one: string) => {
        if (one.includes('closed')) throw new HostError('stat', 'EACCES', 13, 'permission denied', one);
        return fakeHost({ files: { ...HOST, [path]: text } }).stat(one);
      },
    },
  });
  assert.equal(check(sysctl), 1);
  assert.match(sysctl.written.out, /the start would refuse this: --sysctl net\/\.\.\/\.\.\/closed\/x=1/);
  const closed = fakeHost({ argv: ['berth', 'check', '/closed/a.container'], calls });
  assert.deepEqual([check(closed), closed.written.err], [2, 'berth: /closed/a.container: permission denied\n']);
});

test('a key of another section, or by the name of its option, is told as such', () => {
  const keys = {
    Restart: 'it belongs in [Service]',
    WantedBy: 'it belongs in [Install]',
    Requires: 'it belongs in [Unit]',
    MemoryMax: 'it belongs in [Service]',
  };
  const names = {
    Ports: 'PublishPort',
    publish: 'PublishPort',
    CapAdd: 'AddCapability',
    command: 'Exec',
    'env-file': 'EnvironmentFile',
  };
  const meant = Object.entries(names).map(([key, name]) => [key, `did you mean \`${name}\`?`] as const);
  for (const [key, hint] of [...Object.entries(keys), ...meant]) {
    const files = { '/q/a.container': `${IMAGE}${key}=x\n` };
    const calls = { realpath: (path: string) => path, cwd: () => '/q' };
    const host = fakeHost({ argv: ['berth', 'check', 'a.container'], files, calls });
    check(host);
    assert.ok(
      host.written.out.includes(`unsupported key '${key}'`) && host.written.out.includes(hint),
      host.written.out,
    );
  }
});
