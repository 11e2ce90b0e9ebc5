import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { main } from '../../../generator/main.ts';
import type { Half, Host } from '../../../src/host/host.ts';
import { randomNumbers } from '../random.ts';
import { rootedHost } from './rooted-host.ts';

const ARGV = ['berth', 'generator', '-no-kmsg-log', '/out'];
const UNITS = 'etc/containers/systemd';

interface Ran {
  readonly status: number;
  readonly printed: string;
  readonly sent: readonly string[];
}

/** One process; `half` says which, and what it hears. Hearing more than that ends it, as the death of the other process would. */
function run(root: string, half?: { second: boolean; hears: readonly string[] }): Ran {
  const sent: string[] = [];
  const host: Host & { printed: { err: string } } = rootedHost({ root, argv: ARGV, environment: {}, uid: 0 });
  if (half !== undefined) {
    const hears = half.hears.map(text => text);
    const own: Half = { second: half.second, fd: 7, pid: half.second ? 0 : 9, pidfd: 8 };
    Object.assign(host, {
      split: () => own,
      send: (_fd: number, data: string) => void sent.push(data),
      receive: () => ({ data: hears.shift() ?? '', fds: [] }),
      close: () => undefined,
      wait: () => ({ status: 0 }),
    });
  }
  const status = main(host);
  return { status, printed: host.printed.err, sent };
}

function outputOf(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (path: string): void => {
    for (const name of readdirSync(path).sort()) {
      const full = join(path, name);
      const stat = lstatSync(full);
      if (stat.isDirectory()) walk(full);
      else
        found.set(full.slice(root.length), stat.isSymbolicLink() ? readlinkSync(full) : readFileSync(full, 'latin1'));
    }
  };
  walk(join(root, 'out'));
  return found;
}

function inTree(files: Readonly<Record<string, string>>, look: (root: string, fresh: () => void) => void): void {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'berth-halves-')));
  try {
    mkdirSync(join(root, UNITS), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(root, UNITS, name, '..'), { recursive: true });
      writeFileSync(join(root, UNITS, name), text, 'latin1');
    }
    look(root, () => rmSync(join(root, 'out'), { recursive: true, force: true }));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** What each process tells before it translates, got by letting the other one die then. */
function toldOf(root: string): [first: string, second: string] {
  const [second = ''] = run(root, { second: true, hears: [] }).sent;
  const [first = ''] = run(root, { second: false, hears: [second] }).sent;
  return [first, second];
}

/** Files that need each other in every way, over both halves. */
function entangled(): Record<string, string> {
  const files: Record<string, string> = {};
  for (let i = 0; i < 20; i++) {
    const far = (i + 10) % 20;
    const lines = [`Image=localhost/i${i}`];
    if (i % 3 === 0) lines.push(`Volume=v${far}.volume:/v`);
    if (i % 4 === 0) lines.push('Pod=all.pod');
    if (i % 5 === 0) lines.push(`Network=n${far % 4}.network`);
    if (i % 7 === 0) lines.push(`Network=c${far}.container`);
    if (i === 12) lines.push('ServiceName=c3');
    if (i === 17) lines.push('ReadOnly=maybe');
    const install = `[Install]\nWantedBy=default.target\nAlias=one.service${i % 9 === 0 ? ' c1.service' : ''}`;
    files[`c${i}.container`] = `[Unit]\nAfter=c${far}.container\n[Container]\n${lines.join('\n')}\n${install}\n`;
    files[`v${i}.volume`] = i === 13 ? '[Volume]\nNope=1\n' : `[Volume]\nVolumeName=x${i}\n`;
  }
  for (let i = 0; i < 4; i++) files[`n${i}.network`] = '[Network]\n';
  files['all.pod'] = '[Pod]\n';
  files['c.container.d/x.conf'] = '[Container]\nEnvironment=X=1\n';
  files['c19.container.d/x.conf'] = '[Container]\nNope=\n';
  return files;
}

test('two processes give what one gives, also where units of both need each other', () => {
  inTree(entangled(), (root, fresh) => {
    const whole = run(root);
    const expected = outputOf(root);
    assert.match(whole.printed, /needs v13.volume, which could not be translated/);
    assert.match(whole.printed, /c3.container is left out/);
    assert.ok(expected.size > 60);
    const members = (expected.get('/out/all-pod.service') ?? '').matchAll(/^Wants=(c.*)\.service$/gm);
    assert.deepEqual(
      Array.from(members, found => found[1]),
      ['c0', 'c3', 'c16', 'c4', 'c8'],
    );
    assert.equal(expected.get('/out/one.service'), 'c9.service', 'of two links of one name the later counts');
    fresh();
    const [firstTold, secondTold] = toldOf(root);
    fresh();
    mkdirSync(join(root, 'out'));
    const second = run(root, { second: true, hears: [firstTold] });
    assert.equal(second.status, 0);
    assert.equal(second.printed, '', 'the second says nothing itself');
    assert.equal(second.sent[0], secondTold);
    // Its files are put aside, since the first looks for an empty directory; both write at once in truth.
    const half = new Map(outputOf(root));
    fresh();
    const first = run(root, { second: false, hears: [secondTold, second.sent[1] ?? ''] });
    assert.equal(first.printed, whole.printed);
    assert.equal(first.status, whole.status);
    const both = new Map([...outputOf(root), ...half]);
    assert.deepEqual(Object.fromEntries([...both].sort()), Object.fromEntries([...expected].sort()));
  });
});

/** Small trees of names that meet by chance: broken ones, ones that need each other in circles, one name twice. */
function tangled(next: (below: number) => number): Record<string, string> {
  const files: Record<string, string> = {};
  const any = (): number => next(16);
  const chance = (part: number, line: () => string): string => (next(10) < part ? `${line()}\n` : '');
  for (let i = 0; i < 16; i++) {
    const unit = `[Unit]\n${chance(3, () => `Requires=c${any()}.container v${any()}.volume`)}${chance(1, () => 'nonsense')}`;
    const own = [
      chance(1, () => 'Bar=1'),
      chance(1, () => 'ReadOnly=maybe'),
      chance(5, () => `Volume=v${any()}.volume:/v`),
      chance(3, () => `Network=c${any()}.container`),
      chance(2, () => 'Pod=all.pod'),
      chance(1, () => `ServiceName=c${any()}`),
    ];
    files[`c${i}.container`] = `${unit}[Container]\nImage=localhost/i\n${own.join('')}`;
    files[`v${i}.volume`] = `${unit}[Volume]\n${chance(1, () => 'Nope=1')}`;
  }
  files['all.pod'] = `[Pod]\n${chance(2, () => 'Volume=v1.volume:/v')}`;
  return files;
}

test('two processes say and write what one does, whatever needs whatever', () => {
  const next = randomNumbers(7);
  for (let i = 0; i < 12; i++) {
    inTree(tangled(next), (root, fresh) => {
      const whole = run(root);
      const expected = outputOf(root);
      fresh();
      const [firstTold, secondTold] = toldOf(root);
      fresh();
      mkdirSync(join(root, 'out'));
      const second = run(root, { second: true, hears: [firstTold] });
      const half = outputOf(root);
      fresh();
      const first = run(root, { second: false, hears: [secondTold, second.sent[1] ?? ''] });
      assert.equal(first.printed, whole.printed);
      const both = new Map([...outputOf(root), ...half]);
      assert.deepEqual(Object.fromEntries([...both].sort()), Object.fromEntries([...expected].sort()));
    });
  }
});

test('when the second process dies, the first does all of it', () => {
  inTree(entangled(), (root, fresh) => {
    const whole = run(root);
    const expected = outputOf(root);
    fresh();
    const [, secondTold] = toldOf(root);
    for (const hears of [[], [secondTold], [secondTold, '{"problems":['], ['{"stems":']]) {
      fresh();
      const alone = run(root, { second: false, hears });
      assert.deepEqual(outputOf(root), expected);
      assert.equal(alone.printed, whole.printed);
      assert.equal(alone.status, whole.status);
    }
  });
});

test('few files, and a directory that has something in it, are for one process', () => {
  const few = Object.fromEntries(Object.entries(entangled()).slice(0, 4));
  inTree(few, root => assert.deepEqual(run(root, { second: false, hears: [] }).sent, []));
  inTree(entangled(), root => {
    mkdirSync(join(root, 'out'));
    writeFileSync(join(root, 'out/x'), '');
    assert.deepEqual(run(root, { second: true, hears: [] }).sent, []);
  });
});
