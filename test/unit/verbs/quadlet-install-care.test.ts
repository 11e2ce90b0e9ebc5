import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import type { Host } from '../../../src/host/host.ts';
import { nodeHost } from '../../../src/host/node.ts';
import { collect } from '../../../src/verbs/quadlet-collect.ts';
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

test('who changes a directory while root installs it gets no file of root copied, and makes nobody wait', async t => {
  const top = mkdtempSync(join(tmpdir(), 'berth-collect-'));
  t.after(() => rmSync(top, { recursive: true }));
  const [app, config, secret] = [`${top}/app`, `${top}/app/config`, `${top}/secret`];
  mkdirSync(app);
  writeFileSync(`${app}/a.container`, TEXT);
  writeFileSync(secret, 'root:x');
  const ways: [() => void, RegExp][] = [
    [() => symlinkSync(secret, config), /leads out of the directory|^$/],
    [() => execFileSync('mkfifo', [config]), /is no regular file|^$/],
  ];
  let seen = 0;
  for (const [swap, said] of ways) {
    // At whatever call the file is another one.
    for (let left = 0; left < 6; left++) {
      rmSync(config, { force: true });
      writeFileSync(config, 'mine');
      let calls = 0;
      const before = (path: string): void => {
        if (path !== config && !path.startsWith('/proc/self/fd/')) return;
        if (calls++ !== left) return;
        seen++;
        rmSync(config);
        swap();
      };
      const real = nodeHost();
      const readFile = (path: string): string => {
        before(path);
        assert.equal(real.stat(path)?.kind, 'file', 'it would wait for ever');
        return real.readFile(path);
      };
      const watched = Object.fromEntries(
        (['stat', 'realpath', 'open', 'readlink'] as const).map(name => [
          name,
          (path: string, flags: number) => (before(path), real[name](path, flags)),
        ]),
      );
      const errors: string[] = [];
      const host: Host = { ...real, uid: 0, ...watched, readFile };
      const { pieces } = await collect(host, app, [], errors);
      assert.match(errors.join(), said);
      const text = pieces.find(({ name }) => name === 'config')?.text;
      assert.equal(text, errors.length > 0 ? undefined : 'mine');
    }
  }
  assert.ok(seen >= 6, `${seen} swaps`);
});
