import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { nativeVerbs } from '../../packaging/build/tables.ts';
import { importsBelow, importsOf, sources, type Import } from './imports.ts';

/** A layer may import itself and those before it. */
const LAYERS = [
  'base',
  'host',
  'unit',
  'command',
  'quadlet',
  'image',
  'plan',
  'ops',
  'run',
  'network',
  'volume',
  'secret',
  'health',
  'update',
  'kube',
  'api',
  'systemd',
  'verbs',
  'node-entry.ts',
  'cli-pull.ts',
  'cli.ts',
];
const GENERATOR_MAY_USE = ['generator', 'base', 'host', 'unit', 'command', 'quadlet'];
/** The entry of the native programs joins a verb with the native host. */
const NATIVE_ENTRY_MAY_USE = ['base', 'host'];

/** A package has one door, so that it can be replaced and its traps are known in one place. */
const PACKAGE_DOORS: ReadonlyMap<string, readonly string[]> = new Map([
  ['ini', ['src/base/config.ts']],
  ['neverthrow', ['src/base/result.ts']],
  ['smol-toml', ['src/base/toml.ts']],
  ['dbus-next', ['src/systemd/bus.ts']],
  ['systemd-journald', ['src/systemd/journal.ts']],
  ['yaml', ['src/kube/']],
]);

const all = importsBelow('src', 'generator');

test('the imports are found', () => {
  assert.ok(all.length > 50, `only ${all.length} imports were found`);
  assert.ok(sources('src').length > 20);
});

test('imports go one way: base → host → unit → … → verbs → cli', () => {
  const wrong = all.filter(item => item.local && !mayImport(item.file, item.target));
  assert.deepEqual(wrong.map(describe), []);
});

test('every folder of src has a place among the layers', () => {
  const folders = new Set(sources('src').map(layerOf));
  assert.deepEqual(
    [...folders].filter(folder => !LAYERS.includes(folder) && folder !== 'native-entry.ts'),
    [],
  );
});

test('imports of files end in .ts and lead to a file', () => {
  const wrong = all.filter(item => item.local && !(item.target.endsWith('.ts') && existsSync(item.target)));
  assert.deepEqual(wrong.map(describe), []);
});

test('a package is imported by its one door', () => {
  const wrong = all.filter(item => !item.local && !item.target.startsWith('node:') && !isDoor(item));
  assert.deepEqual(wrong.map(describe), []);
});

test('nothing that a native program reaches imports node: or a package with native parts', async () => {
  const entries = ['src/native-entry.ts', ...(await nativeVerbs()).map(program => program.module)];
  const wrong = reachable(entries).filter(
    item => !item.local && !['ini', 'neverthrow', 'smol-toml'].includes(item.target),
  );
  assert.deepEqual(wrong.map(describe), []);
});

test('native programs call no function of Math that is left out of the static binary', async () => {
  const leftOut = [...readFileSync('native/left-out.c', 'utf8').matchAll(/^LEFT_OUT\((\w+)\)$/gm)].map(
    ([, name]) => name,
  );
  assert.ok(leftOut.length > 10);
  const calls = new RegExp(`Math\\.(${leftOut.join('|')})\\b`);
  const entries = ['src/native-entry.ts', ...(await nativeVerbs()).map(program => program.module)];
  const files = new Set([...entries, ...reachable(entries).flatMap(item => (item.local ? [item.target] : []))]);
  assert.deepEqual(
    [...files].filter(file => calls.test(readFileSync(file, 'utf8'))),
    [],
  );
});

function mayImport(file: string, target: string): boolean {
  const from = layerOf(file);
  const to = layerOf(target);
  if (from === 'generator') return GENERATOR_MAY_USE.includes(to);
  if (from === 'native-entry.ts') return NATIVE_ENTRY_MAY_USE.includes(to);
  return LAYERS.includes(to) && LAYERS.indexOf(to) <= LAYERS.indexOf(from);
}

/** `src/run/begin.ts` → `run`; `generator/main.ts` → `generator`; `src/cli.ts` → `cli.ts`. */
function layerOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'src' ? second : first;
}

function isDoor(item: Import): boolean {
  const doors = PACKAGE_DOORS.get(item.target) ?? [];
  return doors.some(door => item.file === door || (door.endsWith('/') && item.file.startsWith(door)));
}

/** Every import of the files that can be reached from the entries. */
function reachable(entries: readonly string[]): readonly Import[] {
  const seen = new Set<string>();
  const found: Import[] = [];
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    assert.ok(existsSync(file), `${file} does not exist`);
    const imports = importsOf(file);
    found.push(...imports);
    waiting.push(...imports.filter(item => item.local).map(item => item.target));
  }
  return found;
}

function describe(item: Import): string {
  return `${item.file}:${item.line} imports ${item.target}`;
}
