/**
 * Runs the unit tests of hot code a second time, under the QuickJS that the static program is linked with: it lacks TextEncoder, URL,
 * timers and Intl, and the bundler does not notice. Hot is what a native program can reach; a test that itself needs
 * Node (files, processes) runs under Node alone and is not counted here.
 * Last line: `under QuickJS: N files, N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { nativeVerbs } from '../../packaging/build/tables.ts';
import { importsOf, sources } from '../check/imports.ts';

const OUT = 'build/quickjs';
const STAND_INS = ['node:test', 'node:assert/strict', 'node:assert'];

const files = await hotTests();
const { passed, failed } = await run(files);
console.log(`under QuickJS: ${files.length} files, ${passed} passed, ${failed} failed`);

async function hotTests(): Promise<readonly string[]> {
  const hot = reachable((await nativeVerbs()).map(program => program.module));
  return sources('test/unit').filter(file => {
    if (!file.endsWith('.test.ts')) return false;
    const seen = [...reachable([file])];
    const packages = seen.flatMap(importsOf).filter(item => !item.local && !STAND_INS.includes(item.target));
    return seen.some(path => path.startsWith('src/') && hot.has(path)) && packages.every(isPure);
  });
}

function isPure(item: { target: string }): boolean {
  return item.target === 'ini' || item.target === 'neverthrow';
}

function reachable(entries: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file) || !existsSync(file)) continue; // what is missing is the layer check's finding
    seen.add(file);
    waiting.push(
      ...importsOf(file)
        .filter(item => item.local)
        .map(item => item.target),
    );
  }
  return seen;
}

async function run(tests: readonly string[]): Promise<{ passed: number; failed: number }> {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  await bundle(tests);
  writeFileSync(
    join(OUT, 'run.sh'),
    tests
      .map(
        (file, index) => `echo '@@ ${file}'\nqjs ${OUT}/${index}.js || echo 'not ok - ${file} ended with an error'\n`,
      )
      .join(''),
  );
  const { stdout, stderr } = spawnSync('packaging/build/in-tree.sh', ['sh', join(OUT, 'run.sh')], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const parts = stdout.split(/^@@ /m).slice(1);
  let [good, bad] = [0, tests.length - parts.length];
  for (const part of parts) {
    const planned = Number(/^1\.\.(\d+)$/m.exec(part)?.[1] ?? -1);
    const ok = part.match(/^ok /gm)?.length ?? 0;
    const notOk = part.match(/^not ok /gm)?.length ?? 0;
    good += ok;
    bad += planned === ok + notOk || notOk > 0 ? notOk : 1;
    if (notOk > 0 || planned !== ok)
      console.log(
        `-- ${part}`
          .split('\n')
          .filter(line => !line.startsWith('ok '))
          .join('\n'),
      );
  }
  if (bad > 0) console.log(stderr);
  return { passed: good, failed: bad };
}

async function bundle(tests: readonly string[]): Promise<void> {
  await build({
    entryPoints: tests.map((file, index) => ({ in: file, out: String(index) })),
    outdir: OUT,
    bundle: true,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    format: 'iife',
    target: 'es2023',
    charset: 'ascii',
    logLevel: 'warning',
    define: { BERTH_VERSION: '"0"' },
    alias: {
      'node:test': './test/quickjs/test.ts',
      'node:assert/strict': './test/quickjs/assert.ts',
      'node:assert': './test/quickjs/assert.ts',
    },
  });
}
