import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTransientService } from '../../../src/systemd/transient.ts';
import { answer, manager, refusal, removed } from './fake-manager.ts';

/** The name is taken once; then systemctl shows one text after the other, and the last for ever. */
function taken(shown: string[], rival?: 'ends'): string[] {
  const said: string[] = [];
  const { host } = manager(
    `${refusal('systemd1.UnitExists')}OK 1234\r\n${answer(1, 'o', ['/job/5'])}${removed('/job/5', 'done')}`,
    { piece: 1 },
  );
  const calls = {
    readlink: () => '/usr/bin/berth',
    run({ argv }: { argv: string[] }) {
      const shows = argv.includes('show');
      if (!shows) said.push(argv.join(' '));
      return { status: 0, stdout: shows ? ((shown.length > 1 ? shown.shift() : shown[0]) ?? '') : '', stderr: '' };
    },
    unlink: (path: string) => void said.push(`unlink ${path}`),
  };
  try {
    startTransientService(Object.assign(host, calls), 'system', 'a.service', [], rival);
  } catch (error) {
    said.push(String(error));
  }
  return said;
}

void test('a unit of ours whose container is gone makes room for the next of its name, and no other does', () => {
  const stop = '/usr/bin/berth unit stop --quiet --system -- a.service';
  const unit = (states: string): string =>
    `LoadState=loaded\nTransient=yes\nEnvironment=PODMAN_SYSTEMD_UNIT=a.service\nFragmentPath=/run/a\n${states}`;
  const ending = unit('ActiveState=deactivating\nSubState=stop-post\n');
  const waits = unit('ActiveState=activating\nSubState=auto-restart\n');
  const ended = unit('ActiveState=failed\nSubState=failed\n');
  const runs = unit('ActiveState=active\nSubState=running\n');
  const gone = 'LoadState=not-found\n';
  assert.deepEqual(taken([ending, gone]), [stop]);
  assert.deepEqual(taken([waits, gone]), [stop]);
  assert.deepEqual(taken([gone]), []);
  // Another unit names it.
  const forget = ['unlink /run/a', 'systemctl reset-failed a.service', 'systemctl daemon-reload'];
  assert.deepEqual(taken([ended]), forget);
  assert.deepEqual(taken([ending, ended]), [stop, ...forget]);
  assert.match(String(taken([runs])), /the name a is in use: a\.service runs/);
  assert.match(String(taken([`${ended}Job=7\n`])), /is in use/);
  assert.deepEqual(taken([runs, gone], 'ends'), [stop]);
  assert.match(String(taken(['LoadState=loaded\nTransient=no\n'])), /another unit of this name/);
  assert.match(String(taken(['LoadState=loaded\nTransient=yes\nEnvironment=A=b\n'], 'ends')), /another unit/);
});
