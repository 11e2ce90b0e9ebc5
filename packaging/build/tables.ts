import type { OptionRow, VerbRow } from '../../src/command/types.ts';

/** A program of its own bytecode inside dist/berth. `module` exports `main`. */
export interface Program {
  readonly name: string;
  readonly module: string;
  /** Other verbs that it serves. */
  readonly aliases: readonly string[];
}

/** The native rows of the verb table, and the generator. */
export async function nativeVerbs(): Promise<readonly Program[]> {
  const { VERBS } = (await import('../../src/verbs/table.ts')) as { VERBS: readonly VerbRow[] };
  const rows = VERBS.filter(row => row.native);
  const names = [...new Set(rows.map(programName))].filter(name => name !== 'generator');
  const programs = names.map(name => ({ name, module: `src/verbs/${name}.ts`, aliases: aliasesOf(rows, name) }));
  return [{ name: 'generator', module: 'generator/main.ts', aliases: [] }, ...programs];
}

const dashed = (name: string): string => name.replaceAll(' ', '-');
const programName = (row: VerbRow): string => dashed(row.program ?? row.name);

/** `network create` finds the program `network` by its first word; `restart` must be told that it is `start`. */
function aliasesOf(rows: readonly VerbRow[], program: string): string[] {
  const names = rows.filter(row => row.program === program && row.name.split(' ')[0] !== program);
  return names.map(row => dashed(row.name));
}

/** programs.mk: which programs have bytecode of their own. */
export function programsMakefile(names: readonly string[]): string {
  return `PROGRAMS := ${names.join(' ')}\n`;
}

/**
 * programs.h: `programs[]`, those of the base first, and `base_program`, whose bytecode only a program without a heap image has
 * (native/engine-image.h). `names` are those with bytecode of their own, `aliases` other names of these.
 */
export function programsHeader(
  base: readonly string[],
  names: readonly string[],
  aliases: readonly (readonly [alias: string, name: string])[],
): string {
  const symbol = (name: string): string => name.replaceAll('-', '_');
  const own = (name: string, of = name): string =>
    `    {"${name}", program_${symbol(of)}, PROGRAM_LENGTH_${symbol(of)}, true},`;
  return [
    '/* Made by packaging/build/build.ts from src/verbs/table.ts. */',
    '#pragma once',
    '#include "program-table.h"',
    ...['base', ...names].flatMap(name => [
      `#include "programs/${name}.length.h"`,
      `extern const uint8_t program_${symbol(name)}[]${name === 'base' ? ' __attribute__((weak))' : ''};`,
    ]),
    'const struct program base_program = {"base", program_base, PROGRAM_LENGTH_base, false};',
    'static const struct program programs[] = {',
    ...base.map(name => `    {"${name}", NULL, 0, true},`),
    ...names.map(name => own(name)),
    ...aliases.map(([alias, name]) => own(alias, name)),
    '};',
    'enum { PROGRAMS = sizeof(programs) / sizeof(programs[0]) };',
    '',
  ].join('\n');
}

/** build/globals.h: the options before the verb; main.c steps over them to find the verb. */
export async function globalsHeader(): Promise<string> {
  const { GLOBAL_OPTIONS } = (await import('../../src/command/globals.ts')) as {
    GLOBAL_OPTIONS: readonly OptionRow[];
  };
  return [
    '/* Made by packaging/build/build.ts from src/command/globals.ts. */',
    '#pragma once',
    'struct global_option {',
    '    const char *name; /* without dashes; one letter: the short form */',
    '    int takes_value;',
    '};',
    'static const struct global_option global_options[] = {',
    ...GLOBAL_OPTIONS.flatMap(globalRows),
    '    {0, 0},',
    '};',
    '',
  ].join('\n');
}

function globalRows(row: OptionRow): string[] {
  const names = [row.name, ...(row.short === undefined ? [] : [row.short]), ...(row.aliases ?? [])];
  return names.map(name => `    {"${name}", ${row.kind === 'flag' ? 0 : 1}},`);
}

/** build/tiny-image.h: the bytes of the tiny programs in the read-only data of dist/berth. */
export function tinyImageHeader(): string {
  const lines = [
    '/* Made by packaging/build/build.ts; the bytes are those of build/tiny, build/relay, build/prober and build/filer. */',
    '#pragma once',
  ];
  for (const name of ['tiny', 'relay', 'prober', 'filer']) {
    lines.push(
      `extern const unsigned char ${name}_image[];`,
      `extern const unsigned char ${name}_image_end[];`,
      `#define ${name.toUpperCase()}_IMAGE_SIZE ((size_t)(${name}_image_end - ${name}_image))`,
    );
  }
  return `${lines.join('\n')}\n`;
}
