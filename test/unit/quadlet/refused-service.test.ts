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
] as const;

for (const [lines, problem] of REFUSED) {
  test(`what systemd would not load is an error: ${lines.replace('\n', ', ')}`, () => {
    assert.deepEqual(found(lines), [problem]);
  });
}

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
    'ExecStartPre=-foo/bar',
    'ExecStartPre=/bin/sh -c "a/b c"',
    'ExecStartPre=true a/b',
    'ExecStartPre=%h/bin/x',
    'ExecReload=/bin/kill -HUP $MAINPID',
    'WorkingDirectory=~',
    'WorkingDirectory=-relative',
  ];
  for (const lines of fine) assert.deepEqual(found(lines), [], lines);
});
