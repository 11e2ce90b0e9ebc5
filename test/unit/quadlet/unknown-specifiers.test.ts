import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, translate } from './translate-helpers.ts';

const IMAGE = '[Container]\nImage=localhost/i\n';

test('an unknown specifier is an error with its place, since systemd would not load the unit', () => {
  const wrong = [
    [`${IMAGE}Exec=date +%F\n`, 'error 3:12 specifier'],
    [`${IMAGE}[Service]\nExecStartPre=date +%%Y %F\n`, 'error 4:24 specifier'],
    [`${IMAGE}ContainerName=a%Z\n`, 'error 3:16 specifier'],
    ['[Container]\nImage=short%Z\n', 'warning 2:7 short-name,error 2:12 specifier'],
  ] as const;
  for (const [text, problem] of wrong) {
    const result = translate({ 'u.container': text }).get('u.container');
    assert.equal(problemsOf(result).join(), problem);
    assert.match(result?.text ?? '', /^ExecStart=\+\/usr\/bin\/berth generator --print-failure /m);
  }
});

test('specifiers that systemd has, and what it leaves alone, are no problem', () => {
  const text = `${IMAGE}Exec=date %%F %i %{x} 100% %\n[Service]\nExecStopPost=-true %n\n`;
  assert.deepEqual(problemsOf(translate({ 'u.container': text }).get('u.container')), []);
  const left = `${IMAGE}[Service]\nExecStartPre=@-/bin/date date %F\n`;
  assert.deepEqual(problemsOf(translate({ 'u.container': left }).get('u.container')), ['warning 4:31 specifier']);
});

test('the failing unit of an unknown specifier is one that systemd loads', () => {
  const text = `${IMAGE}ContainerName=a%Z%%K%i\n[Service]\nUser=%Z\n`;
  const made = translate({ 'u.container': text }).get('u.container')?.text ?? '';
  assert.match(made, /^ExecStop=.* a%%Z%%K%i$/m);
  assert.doesNotMatch(made.replace(/^#.*/gm, '').replaceAll('%%', ''), /%[0-9FKOQXZekxz]/);
});
