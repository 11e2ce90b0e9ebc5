import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, translate } from './translate-helpers.ts';

const found = (lines: string, file = 'u.container', section = '[Container]\nImage=localhost/i\n'): string[] =>
  problemsOf(translate({ [file]: `${section}[Service]\n${lines}\n` }).get(file));

const REFUSED = [
  ['Type=oneshot\nRestart=always', 'error 5:9 service'],
  ['Type=oneshot\nRestart=on-success', 'error 5:9 service'],
  ['Type=oneshot\nExitType=cgroup', 'error 5:10 service'],
  ['ExecStart=/bin/true', 'error 4:11 service'],
  ['ExecStartPre=foo/bar x', 'error 4:14 service'],
  ['ExecStop=!./stop', 'error 4:10 service'],
  ['WorkingDirectory=relative', 'error 4:18 service'],
  ['RootDirectory=relative', 'error 4:15 service'],
  ['RootImage=-/x', 'error 4:11 service'],
  ['WorkingDirectory=/a/../b', 'error 4:18 service'],
  ['WorkingDirectory=%n', 'error 4:18 service'],
  ['PIDFile=/a/../b', 'error 4:9 service'],
  ['MountImagePolicy=banana', 'error 4:18 service'],
  ['DynamicUser=banana', 'error 4:13 service'],
  ['DynamicUser=', 'error 4:12 service'],
  ['Group=/x', 'error 4:7 service'],
  ['User=65535', 'error 4:6 service'],
  ['User=%i', 'error 4:6 service'],
  ['SupplementaryGroups=wheel a/b', 'error 4:27 service'],
  ['ExecStartPre=@/bin/true', 'error 4:14 service'],
  ['ExecStartPre=/bin/true ; @/bin/true', 'error 4:26 service'],
  ['ExecStartPre=|||/bin/true', 'error 4:14 service'],
  ['ExecStartPre=+!/bin/true', 'error 4:14 service'],
  ['ExecStartPre=\x02/bin/true', 'error 4:14 service'],
  ['ExecStartPre=!', 'error 4:14 service'],
  ['ExecStartPre=/bin/', 'error 4:14 service'],
  ['ExecStartPre=/bin/true "a', 'error 4:14 service'],
  ["ExecStartPre=a'/'b", 'error 4:14 service'],
  ['ExecReload=%%h/x', 'error 4:12 service'],
  [`ExecStop=/${'x'.repeat(256)}`, 'error 4:10 service'],
  ['AppArmorProfile=%Z', 'error 4:17 specifier'],
  ['RootDirectory=-%Z', 'error 4:16 specifier'],
] as const;

for (const [lines, problem] of REFUSED) {
  test(`what systemd would not load is an error: ${lines.replace('\n', ', ')}`, () => {
    assert.deepEqual(found(lines), [problem]);
  });
}

const PASSED_OVER = [
  'ExecStartPre=-@/bin/true',
  "ExecStartPre='",
  'ExecStartPre=-',
  'WorkingDirectory=-a/b',
  'ExecStop=-a/b',
  'ExecStop=-/bin/x "',
];

for (const line of PASSED_OVER) {
  test(`what systemd passes over is a warning: ${line}`, () => {
    assert.match(found(line).join(), /^warning 4:[0-9]+ service$/);
  });
}

test('a boolean that systemd refuses fails units of every type; only what the peer writes as it is is written with --no-failure-units', () => {
  for (const [file, section] of [
    ['u.pod', '[Pod]\n'],
    ['u.network', '[Network]\n'],
    ['u.kube', '[Kube]\nYaml=/f\n'],
  ] as const) {
    const text = `${section}[Service]\nDynamicUser=foobar\n`;
    const of = (asPeer: boolean) => translate({ [file]: text }, { asPeer }).get(file);
    assert.match(of(false)?.text ?? '', /^ExecStart=.* generator --print-failure .*`DynamicUser=foobar`/m, file);
    assert.match(problemsOf(of(true)).join(), /^warning [34]:13 service$/, file);
    assert.match(of(true)?.text ?? '', /^DynamicUser=foobar$/m, file);
  }
});

test('a volume is a oneshot', () => {
  assert.deepEqual(found('Restart=always', 'u.volume', '[Volume]\n'), ['error 3:9 service']);
  assert.deepEqual(found('Restart=on-failure', 'u.volume', '[Volume]\n'), []);
});

test('what systemd loads is no error', () => {
  const fine = [
    'Restart=always',
    'Type=oneshot\nRestart=on-failure',
    'Type=oneshot\nExecStart=/bin/true',
    'ExecStart=/bin/true\nExecStart=',
    'ExecStartPre=/bin/sh -c "a/b c"',
    'ExecStartPre=true a/b',
    'ExecStartPre=%h/bin/x',
    'ExecReload=/bin/kill -HUP $MAINPID',
    'WorkingDirectory=~',
    'WorkingDirectory=-/x',
    'WorkingDirectory=/../x',
    'User=a.b',
    'Group=0',
    'SupplementaryGroups=',
    'SupplementaryGroups=wheel "adm" 5',
    'PIDFile=x.pid',
    'DynamicUser=no',
    'ExecPaths=%Z',
    'MountImagePolicy=root=verity+signed:=ignore',
    'ExecStartPre=@/bin/true name',
    'ExecStartPre=-!!@:/bin/true name',
    'ExecStartPre=; /bin/true ; true \\; ";"',
    "ExecStartPre='/bin/a b' ${X} %i",
    'ExecStartPre=',
  ];
  for (const lines of fine) assert.deepEqual(found(lines), [], lines);
});
