import { mkdirSync } from 'node:fs';
import { build, type BuildOptions } from 'esbuild';
import type { Program } from './tables.ts';
import { writeIfChanged } from './write.ts';

/**
 * One module per native program. Not a function around everything: QuickJS searches a list of captured variables for each
 * function that captures one, which took a fifth of a start; a module's variables are found by their number.
 * Returns the programs that could be bundled: one with an error does not keep the others from being tried.
 */
export async function bundlePrograms(programs: readonly Program[], version: string): Promise<readonly Program[]> {
  const results = await Promise.allSettled(programs.map(program => bundleProgram(program, version)));
  return programs.filter((_program, index) => results[index]?.status === 'fulfilled');
}

/** What joins a verb with the native host: build/entry/NAME.ts. Returns its path. */
export function writeEntry(program: Program): string {
  const entry = `build/entry/${program.name}.ts`;
  mkdirSync('build/entry', { recursive: true });
  const lines = [
    `import { main } from '../../${program.module}';`,
    `import { enter } from '../../src/native-entry.ts';`,
    'enter(main);',
    '',
  ];
  writeIfChanged(entry, lines.join('\n'));
  return entry;
}

async function bundleProgram(program: Program, version: string): Promise<void> {
  const result = await build({
    ...common(version),
    entryPoints: [writeEntry(program)],
    platform: 'neutral',
    mainFields: ['module', 'main'],
    format: 'esm',
    charset: 'ascii',
    write: false,
  });
  const [output] = result.outputFiles ?? [];
  if (output !== undefined) writeIfChanged(`build/programs/${program.name}.js`, output.text);
}

/** The Node half: one file, with its packages inside. */
export async function bundleNode(entry: string, outfile: string, version: string): Promise<void> {
  const result = await build({
    ...common(version),
    entryPoints: [entry],
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // dbus-next looks for these where the address of a bus is unknown, or for descriptors; ours is known and has none.
    external: ['x11', 'usocket'],
    // Packages in CommonJS form call require() for Node's own modules.
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  });
  const [output] = result.outputFiles ?? [];
  if (output !== undefined) writeIfChanged(outfile, output.text);
}

function common(version: string): BuildOptions {
  return {
    bundle: true,
    target: 'es2023',
    logLevel: 'warning',
    legalComments: 'inline',
    define: { BERTH_VERSION: JSON.stringify(version) },
  };
}
