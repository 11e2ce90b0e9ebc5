import assert from 'node:assert/strict';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { main } from '../../../generator/main.ts';
import { rootedHost } from './rooted-host.ts';

/**
 * Golden directories: test/cases/NAME/tree is a file system, `run.json` says how the generator is called, `expected` is what it leaves in
 * /out and /late, `log` what it says, with its exit status. UPDATE=1 rewrites.
 */
const CASES = join(import.meta.dirname, '../../cases');

interface Run {
  readonly argv?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

for (const name of readdirSync(CASES).sort()) {
  test(`generator: ${name}`, () => {
    const directory = join(CASES, name);
    const run = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as Run;
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'berth-golden-')));
    try {
      cpSync(join(directory, 'tree'), root, { recursive: true, verbatimSymlinks: true });
      const argv = run.argv ?? ['berth', 'generator', '-v', '-no-kmsg-log', '/out', '/early', '/late'];
      const host = rootedHost({ root, argv, environment: run.environment ?? {}, uid: run.uid ?? 0 });
      const status = main(host);
      const written = new Map([...treeOf(root, 'out'), ...treeOf(root, 'late')]);
      if (host.printed.out !== '') written.set('stdout', host.printed.out);
      const log = `${host.printed.err}exit ${status}\n`;
      if (process.env['UPDATE'] === '1') update(directory, written, log);
      assert.deepEqual(Object.fromEntries(written), Object.fromEntries(treeOf(directory, 'expected', '')));
      assert.equal(log, readFileSync(join(directory, 'log'), 'latin1'));
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
}

/** Files (content) and links (`-> TARGET`) below a directory, by path. */
function treeOf(root: string, name: string, prefix = `${name}/`): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (path: string, shown: string): void => {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const full = join(path, entry.name);
      const key = `${shown}${entry.name}`;
      if (entry.isSymbolicLink()) found.set(key, `-> ${readlinkSync(full)}`);
      else if (entry.isDirectory()) walk(full, `${key}/`);
      else found.set(key, readFileSync(full, 'latin1'));
    }
  };
  walk(join(root, name), prefix);
  return found;
}

function update(directory: string, written: ReadonlyMap<string, string>, log: string): void {
  const expected = join(directory, 'expected');
  rmSync(expected, { recursive: true, force: true });
  mkdirSync(expected);
  for (const [path, text] of written) {
    const full = join(expected, path);
    mkdirSync(join(full, '..'), { recursive: true });
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), full);
    else writeFileSync(full, text, 'latin1');
  }
  writeFileSync(join(directory, 'log'), log, 'latin1');
}
