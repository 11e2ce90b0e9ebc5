import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { Failure } from '../../../src/run/failure.ts';
import { fillTemplate, renderTable } from '../../../src/verbs/format.ts';
import { ageOf } from '../../../src/verbs/show.ts';
import { walkTemplate } from '../../../src/verbs/template.ts';

test('a template names fields, and one that does not exist is refused with those that do', () => {
  assert.equal(fillTemplate('{{.A}}\\t{{ .B }}', { A: '1', B: '2' }), '1\t2');
  assert.throws(
    () => fillTemplate('{{.C}}', { A: '1' }),
    (error: unknown) => error instanceof Failure && error.message.includes('there are A'),
  );
});

test('columns are as wide as their widest cell', () => {
  const rows = [
    { A: 'long cell', B: 'x' },
    { A: 's', B: 'y' },
  ];
  assert.equal(
    renderTable('{{.A}}\\t{{.B}}', { A: 'AA', B: 'BB' }, rows, true),
    'AA         BB\nlong cell  x\ns          y\n',
  );
  assert.equal(renderTable('{{.A}}\\t{{.B}}', { A: 'AA', B: 'BB' }, rows, false), 'long cell  x\ns          y\n');
});

test('a nested template walks objects and shows controls as text (T28)', () => {
  const walk = (template: string, value: unknown): string =>
    walkTemplate(fakeHost(), template, value, () => 'by the other');
  assert.equal(walk('{{.State.Pid}}', { State: { Pid: 5 } }), '5');
  assert.equal(walk('{{json .A}}', { A: { b: 1 } }), '{"b":1}');
  assert.equal(walk('{{.A}}', { A: '\x1b[2J' }), '\\x1b[2J');
  assert.throws(() => walk('{{.B}}', { A: 1 }), Failure);
  assert.equal(walk('{{if .A}}yes{{end}}', { A: 1 }), 'by the other');
});

test('ages are told in the largest unit that fits', () => {
  assert.equal(ageOf(0), 'Less than a second');
  assert.equal(ageOf(59), '59 seconds');
  assert.equal(ageOf(60), '1 minute');
  assert.equal(ageOf(3600), '1 hour');
  assert.equal(ageOf(86_400), '24 hours');
  assert.equal(ageOf(2 * 86_400), '2 days');
});
