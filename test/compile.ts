/**
 * Compiles tests once for all of their processes, which then start as plain programs of Node: compile.ts DIRECTORY TEST…
 * Of test/unit/base/text.test.ts comes DIRECTORY/test/unit/base/text.test.js; what several need is a chunk beside them.
 */
import { readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** A file that asks where it is means its source. */
const place: Plugin = {
  name: 'place',
  setup(builder) {
    builder.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
      return { contents, loader: 'ts' };
    });
  },
};

const [outdir = '', ...entryPoints] = process.argv.slice(2);
rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints,
  outdir,
  outbase: '.',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  plugins: [place],
});
