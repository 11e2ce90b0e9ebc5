import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activePeer } from '../../../src/quadlet/owner.ts';
import { publishedPorts } from '../../../src/quadlet/ports.ts';
import { parseQuadlets } from '../../../src/unit/quadlets-file.ts';
import type { Stat } from '../../../src/host/host.ts';
import { across } from './cross-helpers.ts';

const IMAGE = '[Container]\nImage=localhost/i\n';

test('one host port of what never runs together is no problem', () => {
  const port = `${IMAGE}PublishPort=90:80\n`;
  assert.deepEqual(across({ 't@.container': port, 't@one.container': port }), []);
  assert.deepEqual(across({ 't@one.container': port, 't@two.container': port }), [
    'error port-taken /q/t@two.container:3',
  ]);
  for (const other of ['green.service', 'x.service green.container']) {
    const blue = `[Unit]\nConflicts=${other}\n${port}`;
    assert.deepEqual(across({ 'blue.container': blue, 'green.container': port }), [], other);
    assert.deepEqual(across({ 'blue.container': blue, 'green.container': port, 'red.container': port }), [
      'error port-taken /q/red.container:3',
    ]);
  }
});

test('options in PodmanArgs= count as the keys do', () => {
  const args = (text: string): string => `${IMAGE}PodmanArgs=${text}\n`;
  assert.deepEqual(across({ 'a.container': `${args('--rm -p 8080:81')}Pod=a.pod\n`, 'a.pod': '[Pod]\n' }), [
    'error pod-port /q/a.container:3',
  ]);
  assert.deepEqual(
    across({ 'a.container': `${IMAGE}PublishPort=83:80\n`, 'b.pod': '[Pod]\nPodmanArgs=--publish=83:80\n' }),
    ['error port-taken /q/b.pod:2'],
  );
  assert.deepEqual(across({ 'a.container': args('--volume foo:/x --network zz --mount type=volume,src=bar,dst=/b') }), [
    'warning undefined-volume /q/a.container:3',
    'warning undefined-volume /q/a.container:3',
    'warning undefined-network /q/a.container:3',
  ]);
  for (const text of ['--volume /foo:/x --network none', '--nope --network zz'])
    assert.deepEqual(across({ 'a.container': args(text) }), []);
});

test('names of unit files where none of their type is looked up', () => {
  const others = { 'web.pod': '[Pod]\n', 'x.volume': '[Volume]\n', 'y.container': IMAGE, 'n.network': '[Network]\n' };
  for (const [line, problem] of [
    ['Network=web.pod', 'no-network'],
    ['Network=x.volume', 'no-network'],
    ['Volume=y.container:/x', 'no-volume'],
    ['Mount=type=volume,source=n.network,destination=/x', 'no-volume'],
    ['PodmanArgs=--network n.network', 'no-network'],
  ] as const)
    assert.deepEqual(
      across({ 'a.container': `${IMAGE}${line}\n`, ...others }),
      [`warning ${problem} /q/a.container:3`],
      line,
    );
  for (const line of ['Network=y.container', 'Network=n.network', 'Volume=x.volume:/x'])
    assert.deepEqual(across({ 'a.container': `${IMAGE}${line}\n`, ...others }), [], line);
});

test('host ports of all forms', () => {
  assert.deepEqual(publishedPorts('[::1]:53:53/udp'), { address: '::1', first: 53, last: 53, protocol: 'udp' });
  assert.deepEqual(publishedPorts('0.0.0.0:1-3:1-3'), { address: '0.0.0.0', first: 1, last: 3, protocol: 'tcp' });
  assert.equal(publishedPorts('127.0.0.1::80'), undefined);
});

test('units that need each other', () => {
  const a = `[Unit]\nRequires=b.container\n${IMAGE}`;
  const b = `[Unit]\nBindsTo=a.container\n${IMAGE}`;
  assert.deepEqual(across({ 'a.container': a, 'b.container': b }), ['error cycle /q/b.container:2']);
  assert.deepEqual(across({ 'a.container': a, 'b.container': IMAGE }), []);
});

test('units that wait for each other, by names of files or of services', () => {
  const unit = (lines: string): string => `[Unit]\n${lines}\n${IMAGE}`;
  const circle = ['error cycle /q/b.container:2'];
  assert.deepEqual(
    across({ 'a.container': unit('After=b.service'), 'b.container': unit('After=x.y a.service') }),
    circle,
  );
  assert.deepEqual(
    across({ 'a.container': unit('After=b.container'), 'b.container': unit('After=a.service') }),
    circle,
  );
  assert.deepEqual(
    across({ 'v.volume': '[Unit]\nAfter=a.service\n[Volume]\n', 'a.container': `${IMAGE}Volume=v.volume:/x\n` }).length,
    1,
  );
  const fine = [
    ['After=b.service', 'Before=a.service'],
    ['Requires=b.container\nBefore=b.container', 'After=a.container'],
    ['Wants=b.service', 'After=a.service'],
  ] as const;
  for (const [a, b] of fine) assert.deepEqual(across({ 'a.container': unit(a), 'b.container': unit(b) }), [], a);
});

test('a member of a pod that publishes ports, a volume nobody defines, an account nobody knows', () => {
  assert.deepEqual(across({ 'a.container': `${IMAGE}Pod=p.pod\nPublishPort=80:80\n`, 'p.pod': '[Pod]\n' }), [
    'error pod-port /q/a.container:4',
  ]);
  assert.deepEqual(across({ 'a.container': `${IMAGE}Volume=data:/x\nVolume=/y:/y\nVolume=%h/z:/z\n` }), [
    'warning undefined-volume /q/a.container:3',
  ]);
  assert.deepEqual(across({ 'a.container': `${IMAGE}[Service]\nUser=alicee\nGroup=root\n` }), [
    'warning unknown-account /q/a.container:4',
  ]);
});

test("the peer's generator is active unless something of higher precedence hides it", () => {
  const file = (size: number, kind: Stat['kind'] = 'file'): Stat => ({ kind, size, mode: 0o755 }) as Stat;
  const lookup = (files: Readonly<Record<string, Stat>>): string | undefined =>
    activePeer({ stat: path => files[path], realpath: path => path }, false);
  const own = '/usr/lib/systemd/system-generators/podman-system-generator';
  const hidden = '/etc/systemd/system-generators/podman-system-generator';
  assert.equal(lookup({}), undefined);
  assert.equal(lookup({ [own]: file(10) }), own);
  assert.equal(lookup({ [own]: file(10), [hidden]: file(0, 'char') }), undefined);
  assert.equal(lookup({ [own]: file(10), [hidden]: file(0) }), undefined);
});

test('a .quadlets file is cut into its units', () => {
  const text = '# FileName=web\n[Container]\nImage=x\n\n---\n\n  ---  \n# FileName=data\n; c\n[Unit]\n[Volume]\n';
  const parts = parseQuadlets('f', text);
  assert.ok(parts.isOk());
  assert.deepEqual(
    parts.value.map(part => part.name),
    ['web.container', 'data.volume'],
  );
  assert.equal(parts.value[0]?.text, '# FileName=web\n[Container]\nImage=x\n');
});

test('a byte order mark and CRLF do not hide the name of the first part', () => {
  const text = '\xef\xbb\xbf# FileName=one\r\n[Container]\r\nImage=localhost/a\r\n';
  const parts = parseQuadlets('/x.quadlets', text).unwrapOr([]);
  assert.deepEqual(parts, [
    { name: 'one.container', text: '# FileName=one\n[Container]\nImage=localhost/a\n', line: 1 },
  ]);
});

test('parts of a .quadlets file that cannot be named are all reported, and nothing is taken', () => {
  for (const [text, count] of [
    ['', 1],
    ['[Container]\n', 1],
    ['# FileName=../x\n[Container]\n', 1],
    ['# FileName=x.container\n[Container]\n', 1],
    ['# FileName=x\n[Unit]\n---\n[Pod]\n', 2],
    ['# FileName=x\n[Pod]\n---\n# FileName=x\n[Pod]\n', 1],
  ] as const) {
    const parts = parseQuadlets('f', text);
    assert.ok(parts.isErr(), text);
    assert.equal(parts.error.length, count, text);
  }
});

test('AutoUpdate= is said to do nothing yet', () => {
  assert.deepEqual(across({ 'a.container': `${IMAGE}AutoUpdate=registry\n` }), [
    'warning no-auto-update /q/a.container:3',
  ]);
});

test('groups that nobody knows, beside others', () => {
  const text = `${IMAGE}[Service]\nSupplementaryGroups=old\nSupplementaryGroups=\nSupplementaryGroups=root nosuch 5 %i\n`;
  assert.deepEqual(across({ 'a.container': text }), ['warning unknown-account /q/a.container:6']);
});

test('what one account makes, another does not find', () => {
  const user = (name: string): string => `[Service]\nUser=${name}\n`;
  const volume = '[Volume]\n';
  const uses = `${IMAGE}Volume=d.volume:/d\n`;
  const at = (a: string, d: string): string[] => across({ 'a.container': uses + a, 'd.volume': volume + d });
  const wrong = ['error other-account /q/a.container:3'];
  assert.deepEqual(at(user('1000'), ''), wrong);
  assert.deepEqual(at('', user('1000')), wrong);
  assert.deepEqual(at(user('1000'), user('1001')), wrong);
  assert.deepEqual(at('[Service]\nDynamicUser=yes\n', ''), wrong);
  for (const [a, d] of [
    ['', ''],
    [user('1000'), user('1000')],
    [user('root'), user('0')],
  ] as const)
    assert.deepEqual(at(a, d), []);
  const pod = { 'p.pod': '[Pod]\n', 'a.container': `${IMAGE}Pod=p.pod\n${user('1000')}` };
  assert.deepEqual(across(pod), wrong);
});

test("root's images are handed over, those of an account are not", () => {
  const image = '[Image]\nImage=localhost/i:1\n';
  const uses = '[Container]\nImage=i.image\n';
  const user = '[Service]\nUser=1000\n';
  assert.deepEqual(across({ 'a.container': uses + user, 'i.image': image }), []);
  assert.deepEqual(across({ 'a.container': uses, 'i.image': image + user }), ['error other-account /q/a.container:2']);
});

test('a volume or network by its bare name, with and without a file that makes it', () => {
  const files = { 'd.volume': '[Volume]\nVolumeName=data\n', 'n.network': '[Network]\nNetworkName=net\n' };
  const uses = `${IMAGE}Volume=data:/d\nNetwork=net\n`;
  assert.deepEqual(across({ 'a.container': uses, ...files }), [
    'warning unordered-volume /q/a.container:3',
    'warning unordered-network /q/a.container:4',
  ]);
  const after = '[Unit]\nAfter=d-volume.service n.network\n';
  assert.deepEqual(across({ 'a.container': after + uses, ...files }), []);
  assert.deepEqual(across({ 'a.container': uses }), [
    'warning undefined-volume /q/a.container:3',
    'warning undefined-network /q/a.container:4',
  ]);
});
