/**
 * `npm run build [-- --sanitize | --entries]`: makes dist/berth (one static ELF) and the Node half.
 *
 * 1. One bundle for the verbs of a start, one for each other native verb, as modules for QuickJS: build/programs/NAME.js
 * 2. The tables that C reads: build/obj/programs.h, build/globals.h, build/tiny-image.h, and the profile that becomes build/seccomp-default.c
 * 3. make, inside the Debian 13 tree: bytecode, the tiny program, native/*.c, the link, the heap image (native.mk)
 * 4. The Node half: dist/cli.cjs, and of it what a pull needs: dist/pull.cjs
 *
 * A file is written only when its content changes, so make's time stamps tell what is to be done.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { bundleNode, bundlePrograms, writeEntry } from './bundle.ts';
import { writeManual } from '../man/make.ts';
import { writeDefaultSeccomp } from './seccomp.ts';
import {
  globalsHeader,
  nativeVerbs,
  programsHeader,
  programsMakefile,
  tinyImageHeader,
  type Program,
} from './tables.ts';
import { writeIfChanged } from './write.ts';

try {
  await (process.argv.includes('--entries') ? entries() : build(process.argv.includes('--sanitize')));
} catch (error) {
  // esbuild has printed its own findings.
  if (!(error instanceof Error && 'errors' in error)) console.error(`build: ${String(error)}`);
  process.exitCode = 1;
}

/** Only build/entry/NAME.ts, for the type checker. */
async function entries(): Promise<void> {
  const programs = await presentPrograms();
  for (const program of programs) writeEntry(program.name, [program], []);
  const names = programs.map(program => `${program.name}.ts`);
  // A verb that is no longer native is no longer checked as one.
  for (const file of readdirSync('build/entry')) if (!names.includes(file)) rmSync(`build/entry/${file}`);
}

async function presentPrograms(): Promise<readonly Program[]> {
  return (await nativeVerbs()).filter(program => {
    const present = existsSync(program.module);
    if (!present) console.error(`build: ${program.module} is missing, program ${program.name} is left out`);
    return present;
  });
}

async function build(sanitize: boolean): Promise<void> {
  const version = packageVersion();
  const programs = await presentPrograms();
  const objects = sanitize ? 'build/asan' : 'build/obj';
  mkdirSync('build/programs', { recursive: true });
  mkdirSync(objects, { recursive: true });
  writeIfChanged('build/globals.h', await globalsHeader());
  writeIfChanged('build/tiny-image.h', tinyImageHeader());
  writeDefaultSeccomp();
  writeManual('.');
  const node = Promise.all([
    bundleNode('src/cli.ts', 'dist/cli.cjs', version),
    bundleNode('src/cli-pull.ts', 'dist/pull.cjs', version),
  ]);
  const { base, own, aliases } = await bundlePrograms(programs, version);
  await node;
  writeIfChanged(`${objects}/programs.h`, programsHeader(base, own, aliases));
  writeIfChanged(`${objects}/programs.mk`, programsMakefile(own));
  runInTree([
    'make',
    '-j2',
    '-k',
    '-s',
    '-f',
    'packaging/build/native.mk',
    `VERSION=${version}`,
    ...(sanitize ? ['SANITIZE=1'] : []),
  ]);
  if (!sanitize) runInTree(['make', '-s', 'deb']);
}

/** What fails in there has said so on standard error already. */
function runInTree(command: readonly string[]): void {
  const { status } = spawnSync('packaging/build/in-tree.sh', command, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command.join(' ')} failed`);
}

function packageVersion(): string {
  return (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;
}
