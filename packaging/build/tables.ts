import type { OptionRow, VerbRow } from '../../src/command/types.ts';

/** A program of its own bytecode inside dist/berth. `module` exports `main`. */
export interface Program {
  readonly name: string;
  readonly module: string;
}

/** The native rows of the verb table, and the generator. */
export async function nativeVerbs(): Promise<readonly Program[]> {
  const { VERBS } = (await import('../../src/verbs/table.ts')) as { VERBS: readonly VerbRow[] };
  const names = VERBS.filter(row => row.native).map(row => row.program ?? row.name);
  const verbs = [...new Set(names)].map(programOf);
  return [{ name: 'generator', module: 'generator/main.ts' }, ...verbs.filter(verb => verb.name !== 'generator')];
}

function programOf(verb: string): Program {
  const name = verb.replaceAll(' ', '-');
  return { name, module: `src/verbs/${name}.ts` };
}

/** programs.mk: which programs have bytecode of their own. */
export function programsMakefile(names: readonly string[]): string {
  return `PROGRAMS := ${names.join(' ')}\n`;
}

/**
 * programs.h: `programs[]`, those of the base first, and `base_program`, whose bytecode only a program without a heap image has
 * (native/engine-image.h). `names` are those with bytecode of their own.
 */
export function programsHeader(base: readonly string[], names: readonly string[]): string {
  const symbol = (name: string): string => name.replaceAll('-', '_');
  const own = (name: string): string =>
    `    {"${name}", program_${symbol(name)}, PROGRAM_LENGTH_${symbol(name)}, true},`;
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
    ...names.map(own),
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
