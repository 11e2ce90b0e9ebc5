import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import type { Host } from '../../../src/host/host.ts';
import { APP, install, INTO, TEXT } from './quadlet-install-helpers.ts';

test('a reference that cannot be meant is a mistake, not what comes later', async () => {
  const tree = {
    '/q/p.container': `${TEXT}Pod=foo\n`,
    '/q/n.container': `${TEXT}Network=o.container:ip=10.0.0.2\n`,
    '/q/o.container': TEXT,
  };
  for (const [operands, said] of [
    [['/q/p.container'], 'pod foo is not Quadlet based'],
    [['/q/n.container', '/q/o.container'], 'extra options are not supported'],
  ] as const) {
    const { host, status, files } = await install(operands, tree);
    assert.deepEqual([status, files], [125, {}]);
    assert.ok(host.written.err.includes(said), host.written.err);
  }
});

test('what is no unit keeps its secrets, and root is led nowhere else', async () => {
  const base = fakeHost({ files: { '/q/x': '', ...APP, '/etc/shadow': 'root:x' } });
  const modes: Record<string, number> = { '/q/app/config': 0o100600, '/q/app/a.container': 0o100600 };
  const calls = (link: string): Partial<Host> => ({
    stat: path => {
      const stat = base.stat(path);
      return stat && { ...stat, mode: modes[path] ?? 0o100666 };
    },
    realpath: path => (path === '/q/app/config' ? link : path),
  });
  const { host, status } = await install(['/q/app', '/q/c.pod'], APP, [], calls('/q/app/config'));
  assert.equal(status, 0);
  const mode = (name: string): number | undefined => host.lstat(`${INTO}/${name}`)?.mode;
  assert.deepEqual(['config', 'a.container', '.app.app'].map(mode), [0o600, 0o644, 0o644]);
  const led = await install(['/q/app'], { ...APP, '/etc/shadow': 'root:x' }, [], calls('/etc/shadow'));
  assert.equal(
    led.host.written.err,
    'berth: quadlet install: /q/app/config: leads out of the directory, to /etc/shadow\n',
  );
  assert.equal(led.status, 125);
});
