import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valuesOf } from '../../../packaging/completions/values.ts';
import { RUN } from '../../../src/command/options-run.ts';
import { VERBS } from '../../../src/verbs/table.ts';
import { problems } from '../plan/helpers.ts';

void test('run takes every word that is offered for its options', () => {
  const tried = RUN.options
    .filter(option => option.refused === undefined && option.kind !== 'flag')
    .flatMap(option => valuesOf(RUN, option).words.map(word => [option.name, word] as const));
  assert.ok(tried.length > 60);
  for (const [name, word] of tried)
    assert.deepEqual(
      problems([...(name === 'restart' ? [['detach', 'true'] as const] : []), [name, word]]),
      [],
      `--${name} ${word}`,
    );
});

/** `a, b (default) or c` at the end of a help text. */
function listed(help: string): string[] | undefined {
  const words = help.replace(/ \([^)]*\)/g, '').replace(/^.*: /, '');
  return /^[\w-]+(, [\w-]+)*(, | or )[\w-]+$/.test(words) ? words.split(/, | or /) : undefined;
}

void test('where the help of an option lists values, these are offered, and no others', () => {
  const lists = VERBS.flatMap(row =>
    row.options.flatMap(option => {
      const { words } = valuesOf(row, option);
      const list = listed(option.help);
      // `name or number` is what the values are, not the values.
      if (list?.some(word => words.includes(word)) !== true) return [];
      const shown = (some: readonly string[]): string => `${row.name} --${option.name}: ${[...some].sort().join(' ')}`;
      return [{ offered: shown(words), told: shown(list) }];
    }),
  );
  assert.ok(lists.length > 20);
  assert.deepEqual(
    lists.map(({ offered }) => offered),
    lists.map(({ told }) => told),
  );
});

void test('what is offered stands in the help of the option, where that lists values', () => {
  for (const row of VERBS) {
    for (const option of row.options.filter(({ name }) =>
      ['format', 'sort', 'driver', 'type', 'from'].includes(name),
    )) {
      for (const word of valuesOf(row, option).words)
        assert.match(option.help, new RegExp(`\\b${word}\\b`), `${row.name} --${option.name} ${word}`);
    }
  }
});
