import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, translate } from './translate-helpers.ts';

const IMAGE = '[Container]\nImage=localhost/i\n';

test('a line that cannot be read hides no other problem, and what may stand in it is not missed', () => {
  const text = `${IMAGE}foo\nReadOnly=maybe\nPublishPort=99999\nVolume=no.volume:/x\n[Service]\nKillMode=none\n`;
  assert.deepEqual(problemsOf(translate({ 'u.container': text }).get('u.container')), [
    'error 3:1 no-assignment',
    'error 8:10 kill-mode',
    'error 4:10 boolean',
    'error 6:8 reference',
    'error 5:13 value',
  ]);
  const lines = ['[Container]\nImage q.io/x:1\nReadOnly=maybe\n', '[Container\nReadOnly=maybe\n'];
  for (const [i, place] of ['2:1 no-assignment', '1:1 section'].entries()) {
    const result = translate({ 'u.container': lines[i] ?? '' }).get('u.container');
    assert.deepEqual(problemsOf(result), [`error ${place}`, `error ${i === 0 ? 3 : 2}:10 boolean`]);
  }
  for (const text of ['\xff', 'foo\n', '[Container]\nImage=\xff\n'])
    assert.equal(problemsOf(translate({ 'u.container': text }).get('u.container')).length, 1);
});

test('what several readers of a key find is said once', () => {
  const text = `${IMAGE}LogOpt=a"b\nPodmanArgs="x\n`;
  const result = translate({ 'u.container': text }).get('u.container');
  assert.deepEqual(problemsOf(result), ['error 3:9 quoting', 'error 4:12 quoting']);
  assert.equal(result?.text.match(/^# .*PodmanArgs/gm)?.length, 1);
});

const WITHOUT_KEY: readonly (readonly [file: string, text: string, problems: readonly string[]])[] = [
  ['u.container', '# x\n[Container]\nExec=a\n', ['error 2:1 required']],
  ['u.image', '[Unit]\n[Image]\n', ['error 2:1 required']],
  ['u.artifact', '[Unit]\n[Artifact]\n', ['error 2:1 required']],
  ['u.kube', '[Unit]\n[Kube]\n', ['error 2:1 required']],
  ['u.build', '[Unit]\n[Build]\nFile=/x\n', ['error 2:1 required']],
  ['u.build', '[Unit]\n[Build]\nImageTag=q.io/x\n', ['error 2:1 required']],
  ['u.build', '[Build]\nImageTag=q.io/x\nFile=x\n', ['error 3:6 required']],
  ['u.build', '[Build]\nImageTag=q.io/x\nSetWorkingDirectory=file\n', ['error 3:21 conflict']],
  ['u.build', '[Build]\nImageTag=q.io/x\nSetWorkingDirectory=yaml\n', ['error 3:21 value']],
  ['u.network', '[Network]\nGateway=10.0.0.1\nIPRange=10.0.0.0/24\n', ['error 2:9 subnet', 'error 3:9 subnet']],
  ['u.volume', '[Volume]\nDriver=image\n', ['error 2:8 required']],
  ['u.container', 'x', ['error 1:1 no-assignment']],
  ['u.container', '', ['error 0:0 required']],
];

for (const [file, text, problems] of WITHOUT_KEY)
  test(`what is missing has a place, and is told once: ${JSON.stringify(text)}`, () => {
    assert.deepEqual(problemsOf(translate({ [file]: text }).get(file)), problems);
  });

test('names that are made of file names are names, or errors', () => {
  const lines = (name: string, text: string): string => translate({ [name]: text }).get(name)?.text ?? '';
  assert.match(lines('p@.pod', '[Pod]\n'), /^ExecStartPre=.* --name systemd-p-%i$/m);
  assert.match(lines('p@.pod', '[Pod]\n'), /^ExecStop=.* systemd-p-%i$/m);
  assert.match(lines('p@a.pod', '[Pod]\n'), /^ExecStart=.* systemd-p-a$/m);
  for (const [name, text] of [
    ['a:b.pod', '[Pod]\n'],
    ['a:b.volume', '[Volume]\n'],
    ['a\\x2d.network', '[Network]\n'],
    ['v@a:b.volume', '[Volume]\n'],
    ['a:b.container', IMAGE],
    ['a@b\\x2d.container', IMAGE],
    ['u.container', `${IMAGE}ServiceName=a:b\n`],
  ] as const) {
    assert.deepEqual(problemsOf(translate({ [name]: text }).get(name)), ['error 1:1 value'], name);
    const [, header = ''] = /^(.*)\n/.exec(text) ?? [];
    const key = { '[Pod]': 'PodName', '[Volume]': 'VolumeName', '[Network]': 'NetworkName' }[header] ?? 'ContainerName';
    assert.deepEqual(problemsOf(translate({ [name]: `${text}${key}=x\n` }).get(name)), [], name);
  }
});

const IGNORED: readonly (readonly [file: string, text: string, problems: readonly string[]])[] = [
  ['u.volume', '[Volume]\nImage=no.image\n', ['warning 2:1 ignored']],
  [
    'u.volume',
    '[Volume]\nDriver=image\nImage=q.io/x\nDevice=/d\nType=ext4\nOptions=ro\nUser=root\nGroup=0\nCopy=yes\n',
    [4, 5, 6, 7, 8, 9].map(line => `warning ${line}:1 ignored`),
  ],
  [
    'u.volume',
    '[Volume]\nDriver=image\nImage=q.io/x\nUser=nobodyy\nCopy=maybe\n',
    ['warning 4:1 ignored', 'warning 5:1 ignored', 'error 5:6 boolean', 'error 4:6 account'],
  ],
  ['u.container', `${IMAGE}RemapUidSize=5\n`, ['warning 3:1 ignored']],
  ['u.container', `${IMAGE}RemapUidSize=x\nRemapUsers=keep-id\n`, ['warning 3:1 ignored', 'error 3:14 value']],
  ['u.container', `${IMAGE}RemapUidSize=5\nRemapUsers=auto\n`, []],
  ['u.container', `${IMAGE}StartWithPod=no\n`, ['warning 3:1 ignored']],
];

for (const [file, text, problems] of IGNORED)
  test(`a key that means nothing where it stands is told: ${JSON.stringify(text)}`, () => {
    assert.deepEqual(problemsOf(translate({ [file]: text }).get(file)), problems);
  });

test('what fails for itself and for another says both, in any order of the files', () => {
  const files = {
    'a.container': `${IMAGE}Bar=1\nVolume=bad.volume:/x\nNetwork=b.container\n`,
    'b.container': `${IMAGE}Volume=bad.volume:/x\n`,
    'bad.volume': '[Volume]\nNonsense=1\n',
  };
  for (const names of [Object.entries(files), Object.entries(files).reverse()]) {
    const results = translate(Object.fromEntries(names));
    assert.deepEqual(problemsOf(results.get('a.container')), [
      'error 3:1 unknown-key',
      'error 5:9 failed-reference',
      'error 4:8 failed-reference',
    ]);
    assert.deepEqual(problemsOf(results.get('b.container')), ['error 3:8 failed-reference']);
  }
});
