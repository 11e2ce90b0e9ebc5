import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { compileExec } from '../../../src/ops/exec.ts';
import { printOps } from '../../../src/ops/print.ts';
import { escapeProgram } from '../../../src/ops/process.ts';
import { SPEC } from './spec.ts';

const host = fakeHost({ calls: { defaultSeccomp: () => escapeProgram('\x06\0\0\0\0\0\xff\x7f') } });

test('T11 exec has the confinement of its container, whatever the user', () => {
  const request = { args: ['id'], env: ['PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0 }, terminal: true };
  const text = printOps(compileExec(host, { spec: SPEC, pidfd: 8, defaultSeccomp: true }, request).ops);
  assert.equal(
    text,
    `oom-score-adj 100
setns 0 76020000
become-root
fork
session
console 0 -1
label apparmor box
cwd / 755 0 0
rlimit 7 1024 unlimited?
sync ready
capabilities 21 21 21 0 0
user 0 0
no-new-privileges
seccomp (1 instructions) log
environment PATH=/bin
exec /bin id
`,
  );
  const other = printOps(
    compileExec(
      host,
      { spec: SPEC, pidfd: 8, defaultSeccomp: true },
      { ...request, user: { uid: 5, gid: 5 }, terminal: false },
    ).ops,
  );
  assert.match(other, /^capabilities 21 0 0 0 0$/m);
});
