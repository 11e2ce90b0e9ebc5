import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { main as check } from '../../../src/verbs/check.ts';
import { main as help } from '../../../src/verbs/help.ts';

const BAD = '[Container]\nImage=localhost/a\nPublishPorts=1\nReadOnly=maybe\n';

function run(
  words: readonly string[],
  files: Readonly<Record<string, string>> = {},
  verb = check,
): { host: FakeHost; status: number } {
  const host = fakeHost({ argv: ['berth', ...words], files, calls: { realpath: path => path, cwd: () => '/q' } });
  return { host, status: verb(host) };
}

test('text has the place, the line with a caret, and what to do', () => {
  const { host, status } = run(['check', 'a.container'], { '/q/a.container': BAD });
  assert.equal(status, 1);
  assert.match(
    host.written.out,
    /^\/q\/a.container:4:10: error: `ReadOnly=maybe` is neither true nor false\n {4}4 \| ReadOnly=maybe\n {6}\| {10}\^\n {6}= write yes or no\n/m,
  );
  assert.match(host.written.out, /did you mean `PublishPort`\?/);
  assert.match(host.written.out, /^2 errors, 0 warnings\n$/m);
});

test('the caret is below the place, whatever stands before it and at the end of the line', () => {
  const shown = (text: string): string => {
    const { host } = run(['check', 'a.container'], { '/q/a.container': text });
    return host.written.out.replace(/^[^ ].*\n/gm, '');
  };
  assert.equal(
    shown('[Container]\r\nImage=localhost/a:1\r\nFoo=1\r\n'),
    '    3 | Foo=1\n      | ^\n      = see `berth help keys Container`\n',
  );
  const line = 'AddCapability=\x02\t\xc3\xa4 CHOWNN';
  assert.match(
    shown(`[Container]\nImage=localhost/a:1\n${line}\n`),
    /^ {4}3 \| AddCapability=\\x02 \xc3\xa4 CHOWNN\n {6}\| {20}\^\n/,
  );
});

test('what systemd would pass over is a warning, with its place', () => {
  const text = '[Container]\nImage=localhost/a:1\n[Service]\nRestart=banana\n';
  const { host, status } = run(['check', 'a.container'], { '/q/a.container': text });
  assert.equal(status, 0);
  assert.match(
    host.written.out,
    /^\/q\/a.container:4:9: warning: systemd 257 passes over `Restart=banana` in \[Service\]/m,
  );
  assert.match(host.written.out, /^0 errors, 1 warning\n$/m);
});

test('what systemd would not load is an error, also where the peer says nothing', () => {
  const { host, status } = run(['check', 'a.pod'], { '/q/a.pod': '[Pod]\n[Service]\nDynamicUser=foobar\n' });
  assert.equal(status, 1);
  assert.match(host.written.out, /^\/q\/a.pod:3:13: error: `DynamicUser=foobar` is neither true nor false/m);
});

const told = (lines: string): string[] => {
  const { host } = run(['check', 'a.container'], { '/q/a.container': `[Container]\nImage=localhost/a:1\n${lines}\n` });
  return host.written.out.split('\n').filter(line => /^\/q\/|internal/.test(line));
};

for (const [lines, place, said] of [
  ['UserNS=banana', '3:8', '--userns banana: there is no such mode'],
  ['Tmpfs=/a\nTmpfs=x', '4:7', '--tmpfs x: the target x is not an absolute path'],
  ['Mount=type=bind,source=/x', '3:7', '--mount type=bind,source=/x: target= is missing'],
  ['DropCapability=NET_ADMN', '3:16', '--cap-drop net_admn: there is no capability net_admn'],
  ['PodmanArgs=--nope', '3:12', 'unknown option --nope'],
  ['PodmanArgs=--cpus 1 --cpu-quota 5', '3:12', '--cpus excludes --cpu-period and --cpu-quota'],
  ['Sysctl=x\nReadOnly=maybe', '3:8', '--sysctl x: write NAME=VALUE, e.g. net.core.somaxconn=1024'],
] as const) {
  test(`what the start would refuse is told before: ${lines.replaceAll('\n', ', ')}`, () => {
    assert.ok(
      told(lines).includes(`/q/a.container:${place}: error: the start would refuse this: ${said}`),
      told(lines).join('\n'),
    );
  });
}

for (const [lines, first] of [
  ['PodmanArgs=--nope', '12: error: the start would refuse this: unknown option --nope'],
  [
    'PodmanArgs=stray',
    '12: error: the start would refuse this: stray is no option, but run would take it as its first operand',
  ],
  ['GlobalArgs=--nope', '12: error: the start would refuse this: unknown option --nope'],
  [
    'GlobalArgs=stray',
    '12: error: the start would refuse this: stray is no global option, but would be taken for the verb',
  ],
  ['StopTimeout=10s', '13: error: `StopTimeout=10s` has the wrong form'],
] as const) {
  test(`a mistake in the words of the command hides no other: ${lines}`, () => {
    const rest = '/q/a.container:4:8: error: the start would refuse this: --userns banana: there is no such mode';
    assert.deepEqual(told(`${lines}\nUserNS=banana`), [`/q/a.container:3:${first}`, rest]);
  });
}

test('a missing image hides no other mistake', () => {
  assert.match(told('Image=\nUserNS=banana').at(-1) ?? '', /:4:8: error: .*banana/);
});

test('what systemd expands, and what the host has, is not judged', () => {
  const fine = [
    'Tmpfs=%t/x',
    'UserNS=$MODE',
    'Volume=%h:/x\nUser=%i',
    'EnvironmentFile=/not/here',
    'Exec=sh -c "echo %n $HOME 100%%; date +%%F"',
    'Environment="A=b c" B=%H',
    'PodmanArgs=--memory-swap 1g --memory $MEMORY',
    'Label="a=%%n $$x"',
  ];
  for (const lines of fine) assert.deepEqual(told(lines), [], lines);
});

test('json and sarif say the same', () => {
  const json = run(['check', '--format', 'json', '/q'], { '/q/a.container': BAD });
  assert.equal(json.status, 1);
  const problems = JSON.parse(json.host.written.out) as { code: string; line: number }[];
  assert.deepEqual(
    problems.map(p => [p.code, p.line]),
    [
      ['unknown-key', 3],
      ['boolean', 4],
    ],
  );
  const sarif = run(['check', '--format=sarif', '/q'], { '/q/a.container': BAD });
  const log = JSON.parse(sarif.host.written.out) as { version: string; runs: { results: { ruleId: string }[] }[] };
  assert.equal(log.version, '2.1.0');
  assert.deepEqual(
    log.runs[0]?.results.map(one => one.ruleId),
    ['unknown-key', 'boolean'],
  );
});

test('--podman names the keys that a version of Podman does not have', () => {
  const files = { '/q/a.container': '[Container]\nImage=localhost/a\nMemory=1g\nHttpProxy=no\n' };
  assert.match(run(['check', '/q'], files).host.written.out, /^0 errors, 0 warnings\n$/m);
  const old = run(['check', '--podman', '5.4.2', '/q'], files);
  assert.equal(old.status, 0);
  assert.match(old.host.written.out, /^\/q\/a.container:3:1: warning: `Memory=` needs Podman 5.5 or Berth$/m);
  assert.match(old.host.written.out, /^0 errors, 2 warnings\n$/m);
  assert.match(run(['check', '--podman=5.5', '/q'], files).host.written.out, /^0 errors, 1 warning\n$/m);
  const general = { '/q/a.container': `${files['/q/a.container']}[Quadlet]\nDefaultDependencies=no\n` };
  assert.match(
    run(['check', '--podman=5.2', '/q'], general).host.written.out,
    /^\/q\/a.container:6:1: warning: `DefaultDependencies=` needs Podman 5.3 or Berth$/m,
  );
  assert.doesNotMatch(run(['check', '--podman=5.3', '/q'], general).host.written.out, /DefaultDependencies/);
  const owned = { '/q/v.volume': '[Volume]\nUID=5\n' };
  assert.match(run(['check', '--podman=5.8', '/q'], owned).host.written.out, /`UID=` needs Podman 6.0 or Berth/);
  const wrong = run(['check', '--podman=new', '/q'], files);
  assert.deepEqual(
    [wrong.status, wrong.host.written.err],
    [2, 'berth: check: --podman is new: write a version such as 5.4\n'],
  );
});

test('good files give status 0; what is no unit file gives 2 and one line', () => {
  assert.equal(run(['check', '/q'], { '/q/a.container': '[Container]\nImage=localhost/a\n' }).status, 0);
  for (const words of [
    ['check', '/q/none.container'],
    ['check', '/q/x.txt'],
    ['check', '--format=xml', '/q'],
  ]) {
    const { host, status } = run(words, { '/q/x.txt': 'x' });
    assert.equal(status, 2, words.join(' '));
    assert.match(host.written.err, /^berth: [^\n]+\n$/);
  }
});

test('a missing key is told once', () => {
  const { host } = run(['check', 'a.container'], { '/q/a.container': '[Container]\n' });
  assert.match(host.written.out, /^\/q\/a.container:1:1: error: no Image or Rootfs key specified\n/);
  assert.match(host.written.out, /^1 error, 0 warnings\n$/m);
});

test('what is no file is not opened: a pipe has no end', () => {
  const files = {
    '/q/a.container': '[Container]\nImage=localhost/a\n',
    '/q/a.container.d/x.conf': '',
    '/q/p.container': '',
  };
  const pipes = ['/q/a.container.d/x.conf', '/q/p.container'];
  const base = fakeHost({ files });
  const host = fakeHost({
    argv: ['berth', 'check', 'a.container', 'p.container'],
    files,
    calls: {
      realpath: path => path,
      cwd: () => '/q',
      list: path =>
        base.list(path).map(one => ({ ...one, kind: pipes.includes(`${path}/${one.name}`) ? 'fifo' : one.kind })),
      stat: path => {
        const stat = base.stat(path);
        return stat !== undefined && pipes.includes(path) ? { ...stat, kind: 'fifo' } : stat;
      },
      readFile: path => {
        assert.ok(!pipes.includes(path), `${path} was opened`);
        return base.readFile(path);
      },
      readUnit: path => {
        assert.ok(!pipes.includes(path), `${path} was opened`);
        return base.readUnit(path);
      },
    },
  });
  assert.equal(check(host), 1);
  assert.match(
    host.written.out,
    /^\/q\/a.container.d\/x.conf: error: cannot be loaded: [^\n]*it is not a regular file$/m,
  );
  assert.match(host.written.out, /^\/q\/p.container: error: cannot be loaded: it is not a regular file$/m);
});

test('control characters of a file never reach the terminal (T28)', () => {
  const { host } = run(['check', '/q'], { '/q/a.container': '[Container]\nImage=localhost/a\n\x1b[31mX=1\n' });
  // eslint-disable-next-line no-control-regex -- that is what is looked for
  assert.doesNotMatch(host.written.out, /\x1b/);
});

test('a key is explained for every section that has it', () => {
  const { host, status } = run(['check', '--explain', 'publishport']);
  assert.equal(status, 0);
  assert.match(host.written.out, /\[Container\] PublishPort=[\s\S]*\[Pod\] PublishPort=/);
  assert.match(run(['check', '--explain', 'Volum']).host.written.err, /did you mean Volume\?/);
});

test('help knows verbs, options and keys', () => {
  assert.match(run(['help'], {}, help).host.written.out, /^ {2}containers +run create exec /m);
  assert.match(run(['help', 'verbs'], {}, help).host.written.out, /^ {2}run +run a container$/m);
  assert.match(run(['help', 'run', '--volume'], {}, help).host.written.out, /-v, --volume/);
  assert.match(run(['help', 'keys', 'network'], {}, help).host.written.out, /^\[Network\]\n {2}ServiceName=/m);
  assert.match(run(['help', 'rum'], {}, help).host.written.err, /did you mean run\?/);
  assert.match(run(['--version'], {}, help).host.written.out, /^berth version \d/);
});
