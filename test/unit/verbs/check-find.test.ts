import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import type { Host } from '../../../src/host/host.ts';
import { main as check } from '../../../src/verbs/check.ts';
import { main as graph } from '../../../src/verbs/graph.ts';
import { rootedHost } from '../generator/rooted-host.ts';

const UNIT = '[Container]\nImage=localhost/a:1\n';
const PORT = `${UNIT}PublishPort=8080:80\n`;
const CONFIG = '/etc/containers/systemd';

const roots: string[] = [];
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

interface Setting {
  readonly uid?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly verb?: (host: Host) => number;
}

/** Paths with ` -> ` in their text are links. What is printed, with the exit status. */
function run(words: readonly string[], files: Readonly<Record<string, string>>, setting: Setting = {}): string {
  const { uid = 0, environment = {}, cwd = '/q', verb = check } = setting;
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'berth-check-')));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(root + path), { recursive: true });
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), root + path);
    else writeFileSync(root + path, text);
  }
  const argv = ['berth', verb === check ? 'check' : 'graph', ...words];
  const host = rootedHost({ root, argv, environment, uid });
  const status = verb({ ...host, cwd: () => cwd });
  return `${host.printed.out}${host.printed.err}exit ${status}\n`;
}

/** Places and what is said there. */
function said(...asked: Parameters<typeof run>): string[] {
  return run(...asked)
    .split('\n')
    .filter(line => /^\/|^\d+ error/.test(line));
}

test('a file is told of what it has in common with its neighbours, whichever of them is named', () => {
  const files = { '/q/web.container': PORT, '/q/db.container': PORT };
  for (const [name, other] of [
    ['web', 'db'],
    ['db', 'web'],
  ] as const)
    assert.deepEqual(said([`${name}.container`], files), [
      `/q/${name}.container:3:13: error: host port of \`PublishPort=8080:80\` is already published by /q/${other}.container:3`,
      '1 error, 0 warnings',
    ]);
  const named = `${UNIT}ServiceName=same\n`;
  for (const name of ['a', 'b'])
    assert.deepEqual(said([`${name}.container`], { '/q/a.container': named, '/q/b.container': named }), [
      `/q/${name}.container: error: b.container is left out: same.service is already made of /q/a.container`,
      '1 error, 0 warnings',
    ]);
});

test('each directory is judged for itself, with its own drop-ins', () => {
  const files = {
    '/q/a/web.container': PORT,
    '/q/b/web.container': PORT,
    '/q/a/web.container.d/x.conf': '[Container]\nNope=1\n',
  };
  const one =
    "/q/a/web.container.d/x.conf:2:1: error: unsupported key 'Nope' in group 'Container' in /q/a/web.container";
  assert.deepEqual(said(['a', 'b'], files), [one, '1 error, 0 warnings']);
  assert.deepEqual(said(['b/web.container', 'a/web.container'], files), [one, '1 error, 0 warnings']);
  assert.deepEqual(said(['b/web.container'], files), ['0 errors, 0 warnings']);
});

test('what is named twice is judged once', () => {
  const files = {
    '/q/a.container': '[Container]\n',
    '/q/s/b.container': `${UNIT}Volume=v.volume:/v\n`,
    '/q/v.volume': '[Volume]\n',
  };
  const found = ['/q/a.container:1:1: error: no Image or Rootfs key specified', '1 error, 0 warnings'];
  for (const words of [['.'], ['a.container', '.'], ['s', '.', './s/../a.container', 's/b.container']])
    assert.deepEqual(said(words, files), found, words.join(' '));
});

test('a file where the generator looks is judged as it does', () => {
  const files = {
    [`${CONFIG}/apps/web.container`]: `${UNIT}Network=own.network\n`,
    [`${CONFIG}/net/own.network`]: '[Network]\n',
    [`${CONFIG}/web.container.d/x.conf`]: '[Container]\nReadOnly=maybe\n',
    '/usr/share/containers/systemd/web.container': UNIT,
    [`${CONFIG}/gone.container`]: '-> /dev/null',
  };
  const wrong = `${CONFIG}/web.container.d/x.conf:2:10: error: \`ReadOnly=maybe\` is neither true nor false`;
  for (const name of [`${CONFIG}/apps/web.container`, `${CONFIG}/apps`])
    assert.deepEqual(said([name], files), [wrong, '1 error, 0 warnings']);
  assert.deepEqual(said([`${CONFIG}/gone.container`], files), ['0 errors, 0 warnings']);
  assert.deepEqual(said(['/usr/share/containers/systemd/web.container'], files), [
    wrong,
    `/usr/share/containers/systemd/web.container: warning: the generator does not read it: ${CONFIG}/apps/web.container has its name and goes first`,
    '1 error, 1 warning',
  ]);
});

test('files of accounts are judged as their managers read them', () => {
  const bad = `${UNIT}Network=all.network\n[Service]\nProtectSystem=full\n`;
  const files = {
    [`${CONFIG}/users/1001/web.container`]: bad,
    [`${CONFIG}/users/all.network`]: '[Network]\n',
    [`${CONFIG}/users/1002/other.container`]: '[Container]\n',
    [`${CONFIG}/a.container`]: UNIT,
  };
  for (const name of ['users/1001', 'users/1001/web.container']) {
    const [first, ...rest] = said([`${CONFIG}/${name}`], files);
    assert.match(first ?? '', /^\/etc\/containers\/systemd\/users\/1001\/web.container:5:\d+: error: .*ProtectSystem/);
    assert.deepEqual(rest, ['1 error, 0 warnings']);
  }
  assert.deepEqual(said([CONFIG], files), ['0 errors, 0 warnings']);
});

test("an account's files are judged by the rules of its manager, unless --user says otherwise", () => {
  const files = {
    '/q/web.container': `${UNIT}[Service]\nProtectSystem=full\n`,
    [`${CONFIG}/s.container`]: `${UNIT}[Service]\nProtectSystem=full\n`,
  };
  const errors = (words: readonly string[], uid: number): string | undefined => said(words, files, { uid }).at(-1);
  assert.equal(errors(['/q'], 1001), '1 error, 0 warnings');
  assert.equal(errors(['--user=false', '/q'], 1001), '0 errors, 0 warnings');
  assert.equal(errors(['/q'], 0), '0 errors, 0 warnings');
  assert.equal(errors(['--user', '/q'], 0), '1 error, 0 warnings');
  assert.equal(errors([CONFIG], 1001), '0 errors, 0 warnings');
  assert.equal(errors(['--user=false'], 1001), '0 errors, 0 warnings');
});

test('a directory without unit files is told', () => {
  assert.deepEqual(said(['.'], { '/q/readme': '' }), ['/q: warning: no unit file was found', '0 errors, 1 warning']);
});

test('graph draws what was named of several directories', () => {
  const files = {
    '/q/a/web.container': `${UNIT}Volume=d.volume:/d\n`,
    '/q/a/d.volume': '[Volume]\n',
    '/q/b/x.container': UNIT,
  };
  const out = run(['--format=json', 'a/web.container', 'b'], files, { verb: graph });
  const units = [...out.matchAll(/"unit": "([^"]+)"/g)].map(one => one[1]);
  assert.deepEqual([...new Set(units)].sort(), ['d-volume.service', 'web.service', 'x.service']);
});
