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

/**
 * The programs of a container's start, whose bytecode is read where it lies in the file. All others are compressed, with `run`, which has
 * most of what they have, as the dictionary.
 */
const PLAIN: readonly string[] = ['run', 'exec', 'generator', 'oci'];

/** programs.mk: which programs there are, and which of them are compressed. */
export function programsMakefile(names: readonly string[]): string {
  const packed = names.filter(name => !PLAIN.includes(name));
  return `PROGRAMS := ${names.join(' ')}\nPACKED := ${packed.join(' ')}\n`;
}

/** programs.h: `programs[]` with name, bytecode and length; `PROGRAMS` says how many. */
export function programsHeader(names: readonly string[]): string {
  const symbol = (name: string): string => name.replaceAll('-', '_');
  const packed = (name: string): boolean => !PLAIN.includes(name);
  const row = (name: string): string => {
    const [plain, end] = packed(name)
      ? [`packed_${symbol(name)}`, `packed_${symbol(name)}_end`]
      : [`program_${symbol(name)}`, 'NULL'];
    return `    {"${name}", ${plain}, ${end}, PROGRAM_LENGTH_${symbol(name)}},`;
  };
  return [
    '/* Made by packaging/build/build.ts from src/verbs/table.ts. */',
    '#pragma once',
    '#include <stddef.h>',
    '#include <stdint.h>',
    ...names.map(name => `#include "programs/${name}.length.h"`),
    'struct program {',
    '    const char *name;',
    '    const uint8_t *bytecode;',
    '    const uint8_t *packed_end; /* of a compressed program; NULL: it is not */',
    '    size_t length;             /* of the bytecode */',
    '};',
    ...names.map(name =>
      packed(name)
        ? `extern const uint8_t packed_${symbol(name)}[], packed_${symbol(name)}_end[];`
        : `extern const uint8_t program_${symbol(name)}[];`,
    ),
    'static const struct program programs[] = {',
    ...names.map(row),
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
    '/* Made by packaging/build/build.ts; the bytes are those of build/tiny, build/relay and build/prober. */',
    '#pragma once',
  ];
  for (const name of ['tiny', 'relay', 'prober']) {
    lines.push(
      `extern const unsigned char ${name}_image[];`,
      `extern const unsigned char ${name}_image_end[];`,
      `#define ${name.toUpperCase()}_IMAGE_SIZE ((size_t)(${name}_image_end - ${name}_image))`,
    );
  }
  return `${lines.join('\n')}\n`;
}
