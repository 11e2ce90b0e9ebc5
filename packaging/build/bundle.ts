import { mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import type { Program } from './tables.ts';
import { writeIfChanged } from './write.ts';

/**
 * The programs whose functions are evaluated when dist/berth is built (native/engine-image.h): those of a container's start and stop, and the
 * generator. What others share with them they import from there.
 */
const BASE: readonly string[] = ['generator', 'run', 'exec', 'stop', 'rm', 'healthcheck-run'];

/** The name under which QuickJS finds the base again. */
const BASE_MODULE = 'base.js';

/** What became of the programs: those of the base, and those with a bundle of their own. */
export interface Bundles {
  readonly base: readonly string[];
  readonly own: readonly string[];
  /** Other names under which those of `own` answer. */
  readonly aliases: readonly (readonly [alias: string, name: string])[];
}

/**
 * One module for the base and one for each other program: build/programs/NAME.js. Not a function around everything: QuickJS searches a list of captured
 * variables for each function that captures one, which took a fifth of a start; a module's variables are found by their number.
 */
export async function bundlePrograms(programs: readonly Program[], version: string): Promise<Bundles> {
  const base = programs.filter(program => BASE.includes(program.name));
  const own = programs.filter(program => !BASE.includes(program.name));
  const inBase = await modulesOf(writeEntry('base', base, []), version);
  const imports = new Imports();
  for (const { name } of own) {
    const entry = writeEntry(
      name,
      programs.filter(program => program.name === name),
      [],
    );
    const text = await bundled(entry, version, outside(inBase));
    writeIfChanged(`build/programs/${name}.js`, imports.fromBase(text));
  }
  writeIfChanged(`build/programs/${BASE_MODULE}`, await bundled(writeEntry('base', base, imports.exports()), version));
  const aliases = own.flatMap(({ name, aliases: others }) => others.map(alias => [alias, name] as const));
  return { base: base.map(program => program.name), own: own.map(program => program.name), aliases };
}

/** What joins programs with the native host, and exports what others import: build/entry/NAME.ts. Returns its path. */
export function writeEntry(name: string, programs: readonly Program[], exports: readonly string[]): string {
  const entry = `build/entry/${name}.ts`;
  mkdirSync('build/entry', { recursive: true });
  const lines = [
    ...programs.map((program, i) => `import { main as main${i} } from '../../${program.module}';`),
    `import { enter } from '../../src/native-entry.ts';`,
    `enter({ ${programs.flatMap((program, i) => [program.name, ...program.aliases].map(name => `'${name}': main${i}`)).join(', ')} });`,
    ...exports,
    '',
  ];
  writeIfChanged(entry, lines.join('\n'));
  return entry;
}

async function modulesOf(entry: string, version: string): Promise<ReadonlySet<string>> {
  const { metafile } = await build({ ...native(version), entryPoints: [entry], metafile: true });
  return new Set(Object.keys(metafile?.inputs ?? {}).map(path => resolve(path)));
}

async function bundled(entry: string, version: string, ...plugins: readonly Plugin[]): Promise<string> {
  const result = await build({ ...native(version), entryPoints: [entry], plugins: [...plugins] });
  return result.outputFiles?.[0]?.text ?? '';
}

/** Leaves what the base has as imports of its file. A namespace as a whole cannot be imported from a bundle: its module comes along. */
function outside(modules: ReadonlySet<string>): Plugin {
  const seen = Symbol('seen');
  return {
    name: 'base',
    setup(bundle) {
      bundle.onResolve({ filter: /./ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
        if (kind === 'entry-point' || pluginData === seen) return undefined;
        const found = await bundle.resolve(path, { kind, importer, resolveDir, pluginData: seen });
        if (!modules.has(found.path) || isNamespace(importer, path)) return found;
        return { path: found.path, external: true, sideEffects: false };
      });
    },
  };
}

function isNamespace(importer: string, path: string): boolean {
  return new RegExp(`^import \\* as \\w+ from '${path.replaceAll('.', '\\.')}'`, 'm').test(
    readFileSync(importer, 'utf8'),
  );
}

/** Collects what the programs import from the modules of the base, and gives each a short name. */
class Imports {
  readonly #names = new Map<string, string>();

  /** The bundle with its imports taken from the base's module. */
  fromBase(text: string): string {
    return text.replace(/^import \{([^}]*)\} from "([^"]*)";$/gm, (_line, names: string, file: string) => {
      const bindings = names.split(',').map(one => one.trim().split(' as '));
      const taken = bindings.map(([name = '', local = name]) => `${this.#name(file, name)} as ${local}`);
      return `import { ${taken.join(', ')} } from '${BASE_MODULE}';`;
    });
  }

  exports(): readonly string[] {
    return [...this.#names].map(([key, short]) => {
      const [file = '', name = ''] = key.split('\0');
      return `export { ${name} as ${short} } from '${file}';`;
    });
  }

  #name(file: string, name: string): string {
    const key = `${file}\0${name}`;
    const short = this.#names.get(key) ?? `e${this.#names.size.toString(36)}`;
    this.#names.set(key, short);
    return short;
  }
}

function native(version: string): BuildOptions {
  return {
    ...common(version),
    platform: 'neutral',
    mainFields: ['module', 'main'],
    format: 'esm',
    charset: 'ascii',
    write: false,
  };
}

/**
 * The Node half: one file, with its packages inside. In CommonJS form: Debian's Node has no code cache of its own modules, and its loader of
 * ECMAScript modules, with what that takes of them to fill their namespaces, is a fifth of the time of a verb that does little.
 */
export async function bundleNode(entry: string, outfile: string, version: string): Promise<void> {
  const result = await build({
    ...common(version),
    entryPoints: [entry],
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // dbus-next looks for these where the address of a bus is unknown, or for descriptors; ours is known and has none.
    external: ['x11', 'usocket'],
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
