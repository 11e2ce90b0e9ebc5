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
