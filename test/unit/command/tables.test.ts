import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GLOBAL_OPTIONS } from '../../../src/command/globals.ts';
import { helpOf, helpOfGroups } from '../../../src/command/help.ts';
import { parseVerb } from '../../../src/command/parse.ts';
import { render } from '../../../src/command/render.ts';
import type { Command, OptionRow, OptionUse, VerbRow } from '../../../src/command/types.ts';
import * as NAMES from '../../../src/command/verb-names.ts';
import { GROUPS, LATER_VERBS, OCI_VERBS, VERBS } from '../../../src/verbs/table.ts';
import { randomNumbers, randomText } from '../random.ts';

const ALL: readonly VerbRow[] = [...VERBS, ...LATER_VERBS, ...OCI_VERBS];
const ALPHABET = 'abc -=,:"\'\\\n%$;\xc3\xa4';

/** Every way in which an option can be written. */
function waysOf(row: OptionRow, value: string): OptionUse[] {
  const { name } = row;
  const letter = row.short === undefined ? [] : [row.short];
  if (row.kind === 'flag') {
    return [
      { name, value: 'true', form: 'flag' },
      { name, value: 'true', form: 'joined' },
      { name, value: 'false', form: 'joined' },
      ...letter.map((one): OptionUse => ({ name, value: 'true', form: 'flag', letter: one })),
    ];
  }
  const separate = row.alone === undefined ? [{ name, value }] : [];
  return [...separate, { name, value, form: 'joined' }, ...letter.map(one => ({ name, value, letter: one }))];
}

function isGiven(row: OptionRow): boolean {
  return row.refused === undefined;
}

for (const verb of ALL) {
  test(`${verb.name}: parse(render(command)) is the command, for every option`, () => {
    const next = randomNumbers(verb.name.length);
    for (const row of verb.options.filter(isGiven)) {
      for (let i = 0; i < 8; i++) {
        const value = row.kind === 'integer' ? String(next(100) - 50) : randomText(next, ALPHABET, 8);
        for (const use of waysOf(row, value)) check(verb, [use], operandsOf(verb, next));
      }
    }
  });
}

test('parse(render(command)) is the command, for many options at once', () => {
  const next = randomNumbers(7);
  for (const verb of ALL) {
    const rows = verb.options.filter(isGiven);
    if (rows.length === 0) continue;
    for (let i = 0; i < 50; i++) {
      const uses: OptionUse[] = [];
      for (let n = next(6); n > 0; n--) {
        const row = rows[next(rows.length)];
        if (row === undefined) continue;
        const ways = waysOf(row, row.kind === 'integer' ? '7' : randomText(next, ALPHABET, 6));
        const use = ways[next(ways.length)];
        if (use !== undefined) uses.push(use);
      }
      check(verb, uses, operandsOf(verb, next));
    }
  }
});

function operandsOf(verb: VerbRow, next: (below: number) => number): string[] {
  const most = verb.most ?? verb.least + 3;
  const count = verb.least + next(most - verb.least + 1);
  return Array.from({ length: count }, () => randomText(next, ALPHABET, 6));
}

function check(verb: VerbRow, options: readonly OptionUse[], operands: readonly string[]): void {
  const command: Command = {
    globals: [{ name: 'runtime', value: 'm', form: 'joined' }],
    verb: verb.name,
    options,
    operands,
  };
  const words = render(command, verb);
  const parsed = parseVerb(verb, ['berth', ...words]);
  assert.ok(parsed.isOk(), `${JSON.stringify(words)}: ${parsed.isErr() ? JSON.stringify(parsed.error) : ''}`);
  assert.deepEqual(parsed.value, command, JSON.stringify(words));
}

test('a refused option is refused by name, with what to do instead', () => {
  for (const verb of ALL) {
    for (const row of verb.options.filter(one => one.refused !== undefined)) {
      const words = row.kind === 'flag' ? [`--${row.name}`] : [`--${row.name}=1`];
      const parsed = parseVerb(verb, [
        'berth',
        ...verb.name.split(' '),
        ...words,
        ...Array<string>(verb.least).fill('x'),
      ]);
      const problem = parsed.isErr() ? parsed.error.find(one => one.code === 'refused') : undefined;
      assert.equal(problem?.message, `--${row.name} is not supported`, `${verb.name} --${row.name}`);
      assert.equal(problem?.hint, row.refused);
    }
  }
});

test('all problems of a command line are reported, with a near name', () => {
  const run = VERBS[0];
  assert.ok(run !== undefined);
  const parsed = parseVerb(run, [
    'berth',
    'run',
    '--pids-limit=many',
    '--init-path=/x',
    '--volum=/a',
    '--rm=perhaps',
    'image',
  ]);
  assert.ok(parsed.isErr());
  assert.deepEqual(
    parsed.error.map(one => one.code),
    ['bad-value', 'refused', 'unknown-option', 'bad-value'],
  );
  assert.equal(parsed.error[2]?.hint, 'did you mean --volume?');
});

test('clusters of letters, values glued to a letter, and the end of options', () => {
  const run = VERBS[0];
  assert.ok(run !== undefined);
  const parsed = parseVerb(run, ['berth', 'run', '-itd', '-eA=1', '-e=B=2', '--', '-image', '-x', '--', 'y']);
  assert.ok(parsed.isOk());
  assert.deepEqual(
    parsed.value.options.map(use => [use.name, use.value]),
    [
      ['interactive', 'true'],
      ['tty', 'true'],
      ['detach', 'true'],
      ['env', 'A=1'],
      ['env', 'B=2'],
    ],
  );
  assert.deepEqual(parsed.value.operands, ['-image', '-x', '--', 'y']);
});

test('a long global option is also understood behind the verb, and goes to the globals', () => {
  const run = ALL.find(verb => verb.name === 'run');
  assert.ok(run !== undefined);
  const parsed = parseVerb(run, ['berth', 'run', '--runtime', 'crun', '--rm', 'image', '--runtime']);
  assert.ok(parsed.isOk());
  assert.deepEqual(parsed.value.globals, [{ name: 'runtime', value: 'crun' }]);
  assert.deepEqual(parsed.value.operands, ['image', '--runtime']);
});

test('after a wrong option nothing is said of operands, and each wrong value is one problem', () => {
  const run = ALL.find(verb => verb.name === 'run');
  assert.ok(run !== undefined);
  for (const words of [['--nosuch'], ['--name'], ['--root', '/x', 'image'], ['--log-level', 'loud', 'image']]) {
    const parsed = parseVerb(run, ['berth', 'run', ...words]);
    assert.equal(parsed.isErr() && parsed.error.length, 1, words.join(' '));
  }
});

test('names and letters are used once in each table', () => {
  for (const [name, rows] of [
    ...ALL.map(verb => [verb.name, verb.options] as const),
    ['globals', GLOBAL_OPTIONS] as const,
  ]) {
    const names = rows.flatMap(row => [
      row.name,
      ...(row.aliases ?? []),
      ...(row.short === undefined ? [] : [`-${row.short}`]),
    ]);
    assert.deepEqual(names.toSorted(), [...new Set(names)].toSorted(), name);
  }
});

test('the short rows of the generator agree with the tables', () => {
  for (const row of Object.values(NAMES)) {
    const full = ALL.find(verb => verb.name === row.name);
    assert.equal(full?.stopAtOperand, row.stopAtOperand, row.name);
  }
});

test('help fits a screen of 24 lines', () => {
  for (const verb of ALL) assert.ok(helpOf(verb).split('\n').length <= 25, verb.name);
  const overview = helpOfGroups(GROUPS);
  assert.ok(overview.split('\n').length <= 25);
  for (const line of overview.split('\n')) assert.ok(line.length <= 80, line);
  for (const { name, hidden } of VERBS) {
    const word = name.split(' ').at(-1) ?? '';
    if (hidden !== true) assert.match(overview, new RegExp(`[ |]${word}([ |\n]|$)`), name);
  }
});

test('help is ASCII: the native program writes bytes', () => {
  const texts = ALL.flatMap(verb => [verb.help, verb.operands, ...verb.options.map(row => row.help)]);
  assert.deepEqual(
    texts.filter(text => !/^[\x20-\x7e\n]*$/.test(text)),
    [],
  );
});

test('--latest stands for the name of a container', () => {
  const said = (verb: string, ...words: string[]): string[] => {
    const row = VERBS.find(one => one.name === verb) ?? assert.fail(verb);
    const read = parseVerb(row, ['berth', verb, ...words]);
    return read.isErr() ? read.error.map(p => p.message) : [];
  };
  assert.deepEqual(said('exec', '-l', 'true'), []);
  assert.match(said('exec', '-l')[0] ?? '', /needs more operands/);
  assert.deepEqual(said('port', '-l', '80'), []);
  assert.deepEqual(said('ps', '-l'), []);
  for (const verb of ['stop', 'inspect', 'wait', 'logs', 'start', 'diff', 'stats'])
    assert.deepEqual(said(verb, '-l'), []);
});
