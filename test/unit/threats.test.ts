import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** The threats that touch what is built: an attack on each is tried by a test that names its id. */
const IDS = [...range(1, 22), 24, ...range(28, 35)].map(n => `T${String(n)}`);
const ROOT = join(import.meta.dirname, '..');

void test('every threat has a test that carries its id in a name', () => {
  const named = new Set(
    files(ROOT)
      .flatMap(testNames)
      .flatMap(name => name.match(/\bT\d+\b/g) ?? []),
  );
  assert.deepEqual(
    IDS.filter(id => !named.has(id)),
    [],
  );
});

/** The names of cases: `test('…')` and `describe('…')`, `check '…'` of shell tests, and the first word group of C and Python cases. */
function testNames(path: string): string[] {
  if (path.endsWith('threats.test.ts')) return [];
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/(?:\b(?:test|it|describe|check|case|ok|attack)\b[ (]*|"name": )(['"`])(.+?)\1/g)].map(
    match => match[2] ?? '',
  );
}

function files(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap(entry => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return files(path);
    return /\.(ts|sh|c|py)$/.test(entry.name) ? [path] : [];
  });
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
