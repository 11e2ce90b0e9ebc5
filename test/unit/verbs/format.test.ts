import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { Failure } from '../../../src/run/failure.ts';
import { fillRows, fillTemplate, renderRows, renderTable } from '../../../src/verbs/format.ts';
import { fillGoTemplate } from '../../../src/verbs/go-template-fill.ts';
import { ageOf } from '../../../src/verbs/show.ts';
import { walkTemplate } from '../../../src/verbs/template.ts';

test('a template names fields, and one that does not exist is refused with those that do', () => {
  assert.equal(fillTemplate('{{.A}}\\t{{ .B }}', { A: '1', B: '2' }), '1\t2');
  assert.throws(
    () => fillTemplate('{{.C}}', { A: '1' }),
    (error: unknown) => error instanceof Failure && error.message.includes('there are A'),
  );
});

test('lists and objects of a row are shown as Go shows them, and the rest of its language is filled for all rows at once', () => {
  const rows = [
    { Names: 'a', Labels: { k: 'v', b: 'c' }, Mounts: ['x', 'y'] },
    { Names: 'b', Labels: {}, Mounts: [] },
  ];
  const never = (): never => assert.fail('not for the other half');
  assert.deepEqual(fillRows('{{.Labels}} {{.Mounts}} {{json .Mounts}}', rows, never), [
    'map[b:c k:v] [x y] ["x","y"]',
    'map[] [] []',
  ]);
  const calls: string[] = [];
  const fill = (template: string, value: unknown): string => {
    calls.push(template);
    return fillGoTemplate(template, value);
  };
  const template = '{{.Names | upper}} {{index .Labels "k"}}{{range .Mounts}}\\t{{.}}{{end}}';
  assert.deepEqual(fillRows(template, rows, fill), ['A v\tx\ty', 'B ']);
  assert.equal(calls.length, 1);
  assert.equal(
    renderRows(`table ${template}`, { Names: 'NAMES' }, rows, true, fillGoTemplate),
    'NAMES\nA v         x           y\nB\n',
  );
});

test('columns are as wide as their widest cell, and none is narrower than the peer has it', () => {
  const never = (): never => assert.fail('not for the other half');
  const rows = [
    { A: 'a cell that is long', B: 'x' },
    { A: 's', B: 'y' },
  ];
  assert.equal(
    renderTable('{{.A}}\\t{{.B}}', { A: 'AA', B: 'BB' }, rows, true, never),
    'AA                   BB\na cell that is long  x\ns                    y\n',
  );
  assert.equal(
    renderTable('{{.A}}\\t{{.B}}', { A: 'AA', B: 'BB' }, rows, false, never),
    'a cell that is long  x\ns                    y\n',
  );
  assert.equal(renderTable('{{.A}}\\t{{.B}}', { A: 'AA', B: 'BB' }, [], true, never), 'AA          BB\n');
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
