import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ignoredLines } from '../../../src/quadlet/ignored-lines.ts';
import { translate } from './translate-helpers.ts';

function told(text: string): string[] {
  const one = translate({ 'u.container': `[Container]\nImage=localhost/i\n${text}\n` }).get('u.container');
  assert.ok(one);
  return ignoredLines([one.unit]).map(p => `${p.severity} ${p.line ?? 0}:${p.column ?? 0} ${p.code}; ${p.hint ?? ''}`);
}

const PASSED_OVER = [
  [
    '[Service]\nRestart=banana',
    'warning 4:9 ignored-value; write no, on-success, on-failure, on-abnormal, on-watchdog, on-abort, always',
  ],
  ['[Service]\nTimeoutStartSec=banana', 'warning 4:17 ignored-value; write a time such as 30s or 1min 30s'],
  ['[Service]\nSlice=foo', 'warning 4:7 ignored-value; write the name of a slice, such as machine.slice'],
  ['[Service]\nMemoryMax=0', 'warning 4:11 ignored-value; write a size such as 512M, a percentage, or infinity'],
  ['[Service]\nRestrat=always', 'warning 4:1 ignored-key; did you mean `Restart`?'],
  ['[Service]\nWantedBy=a.target', 'warning 4:1 ignored-key; it belongs in [Install]'],
  ['[Service]\nPublishPort=80', 'warning 4:1 ignored-key; it belongs in [Container]'],
  ['[Service]\nEnvironment=banana', 'warning 4:13 ignored-value; write NAME=VALUE'],
  ['[Service]\nSyslogIdentifier=a%Zb', 'warning 4:19 ignored-value; write text'],
  ['[Service]\nMemoryLimit=1G', 'warning 4:1 obsolete-key; use MemoryMax='],
  ['[Service]\nKillSignal=SIGFOO', 'warning 4:12 ignored-value; write a signal such as SIGTERM'],
  ['[Unit]\nAfter=banana', 'warning 4:7 ignored-value; write names of units such as web.service'],
  [
    '[Unit]\nConditionPathExists=x',
    'warning 4:21 ignored-value; write an absolute path, with `!` or `|` in front if need be',
  ],
  ['[Sevice]\nRestart=always', 'warning 3:1 ignored-section; did you mean `[Service]`?'],
  ['[Timer]\nOnCalendar=daily', 'warning 3:1 ignored-section; a name that begins with X- is left alone'],
] as const;

for (const [text, problem] of PASSED_OVER) {
  test(`what systemd passes over is a warning: ${text.replace('\n', ' ')}`, () => {
    assert.deepEqual(told(text), [problem]);
  });
}

test('what systemd takes is no warning', () => {
  const fine = [
    '[Unit]\nAfter=a.service b@c.target network.target\nConditionPathExists=|!/x\nStartLimitIntervalSec=1min 2h\nX-Foo=1',
    '[Unit]\nDescription=100%% of it\nDocumentation=man:foo(1) https://example.org',
    '[Service]\nRestart=always\nRestartSec=500ms\nTimeoutStartSec=infinity\nMemoryMax=50%\nCPUQuota=150%\nTasksMax=100',
    '[Service]\nEnvironment=A=1 "B=two words" C=%h\nEnvironmentFile=-/etc/x\nPassEnvironment=A B\nUMask=0027\nNice=-5',
    '[Service]\nLimitNOFILE=1024:infinity\nLimitCORE=1G\nSlice=machine-web.slice\nKillSignal=RTMIN+3\nSuccessExitStatus=143 SIGTERM TEMPFAIL',
    '[Service]\nIPAddressDeny=any\nIPAddressAllow=10.0.0.0/8 ::1\nDeviceAllow=/dev/null rw\nRuntimeDirectory=a/b c:d',
    '[Service]\nStandardOutput=append:/x\nDelegate=cpu memory\nLogExtraFields=A=1\nSyslogLevel=debug\nExecStartPre=/bin/echo a \\; b',
    '[Install]\nWantedBy=default.target\n[X-Own]\nanything=1\n[Quadlet]\nDefaultDependencies=no',
  ];
  for (const text of fine) assert.deepEqual(told(text), [], text);
});

test('what the translation refuses is told once', () => {
  assert.deepEqual(told('[Service]\nUser=a/b'), []);
  assert.deepEqual(told('[Service]\nType=banana'), []);
});
