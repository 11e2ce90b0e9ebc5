import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { bashCompletion } from '../../../packaging/completions/bash.ts';
import { fishCompletion } from '../../../packaging/completions/fish.ts';
import { zshCompletion } from '../../../packaging/completions/zsh.ts';
import { pages, pageName, usage } from '../../../packaging/man/pages.ts';
import { roff } from '../../../packaging/man/roff.ts';
import { keyTables } from '../../../src/verbs/help-keys.ts';
import { OCI_VERBS, VERBS } from '../../../src/verbs/table.ts';

const written = new Map(pages().map(page => [page.name, roff(page, '0')]));
const shown = VERBS.filter(row => row.hidden !== true);
const escaped = (text: string): string => text.replaceAll('-', '\\-');

void test('every verb has a page with every one of its options', () => {
  for (const row of [...shown, ...OCI_VERBS]) {
    const page = written.get(pageName(row)) ?? '';
    for (const option of row.options) {
      const line =
        option.refused === undefined ? `.B ${escaped(usage(option))}\n` : `.B ${escaped(`--${option.name}`)}\n`;
      assert.ok(page.includes(line), `${row.name}: ${usage(option)}`);
    }
  }
});

void test('every key of every section is in berth.unit(5)', () => {
  const page = written.get('berth.unit') ?? '';
  for (const table of keyTables()) {
    const start = page.indexOf(`.SH "[${table.section}]"`);
    const part = page.slice(start, page.indexOf('.SH', start + 1));
    for (const row of table.rows) assert.ok(part.includes(`.B ${row.key}=\n`), `[${table.section}] ${row.key}`);
  }
});

/** A line for each question: the words that are offered, between brackets where they are names. */
const ASK = `while IFS= read -r COMP_LINE; do COMP_POINT=\${#COMP_LINE}; COMPREPLY=(); _berth; echo "\${COMPREPLY[*]}"; done`;

void test('the completion is a shell program that knows every verb and option', () => {
  const text = bashCompletion();
  const checked = spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' });
  assert.equal(checked.stderr, '');
  // One shell answers all questions: one line of words each.
  const questions = shown.flatMap(row => [`berth ${row.name} --`, `berth ${row.name.split(' ')[0] ?? ''}`]);
  const script = `${text}\n${ASK}`;
  const { stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8', input: `${questions.join('\n')}\n` });
  const answers = stdout.split('\n').map(line => line.split(' '));
  for (const [index, row] of shown.entries()) {
    const offered = answers[2 * index] ?? [];
    for (const option of row.options) {
      if (option.refused === undefined) assert.ok(offered.includes(`--${option.name}`), `${row.name} --${option.name}`);
    }
    assert.ok(answers[2 * index + 1]?.includes(row.name.split(' ')[0] ?? ''), row.name);
  }
});

void test('names of instances, images and odd ones are completed, and nothing in them is run', () => {
  const berth = `berth() { case $1 in
    quadlet) printf '%s\\n' web@a.service web@b.service 'odd\\x2dname.service' '$(echo run >&2).service' 'two words.service' ;;
    images) printf '%s\\n' localhost/busybox:latest localhost:5000/x:1 ;;
    ps) echo db ;;
  esac; }`;
  const asked = (question: string): string => {
    const script = `${berth}\n${bashCompletion()}\n${ASK}`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', input: `${question}\n` });
    assert.equal(stderr, '');
    return stdout.trim();
  };
  assert.equal(asked('berth start web@'), 'a.service b.service');
  assert.equal(asked('berth start o'), String.raw`odd\\x2dname.service`);
  assert.equal(asked('berth start $'), String.raw`\$\(echo\ run\ \>\&2\).service`);
  assert.equal(asked('berth start t'), String.raw`two\ words.service`);
  assert.equal(asked('berth run localhost/busybox:l'), 'latest');
  assert.equal(asked('berth rmi localhost:'), '5000/x:1');
  assert.equal(asked('berth --for alice rm d'), 'db');
  assert.equal(asked('berth run --volumes-from=d'), 'db');
  assert.equal(asked('berth start d'), 'db');
});

void test('the completions of zsh and fish have every verb and every option', () => {
  const zsh = zshCompletion().split('\n');
  const fish = fishCompletion().split('\n');
  for (const row of shown) {
    const line = zsh.find(one => one.trimStart().startsWith(`'${row.name}') `)) ?? '';
    for (const option of row.options.filter(one => one.refused === undefined)) {
      assert.match(line, new RegExp(`'\\*?--${option.name}[=[]`), `zsh: ${row.name} --${option.name}`);
      const found = fish.some(
        one => one.includes(`'__berth_in \\'${row.name}\\''`) && one.includes(` -l ${option.name} `),
      );
      assert.ok(found, `fish: ${row.name} --${option.name}`);
    }
  }
});
