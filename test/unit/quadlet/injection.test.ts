import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf } from '../../../src/quadlet/key-tables.ts';
import { UNIT_TYPES } from '../../../src/unit/names.ts';
import { splitArguments } from '../../../src/unit/values.ts';
import { comment, oneLine } from '../../../src/unit/write.ts';
import { randomNumbers } from '../random.ts';
import { translate } from './translate-helpers.ts';

/** Pieces that have broken other writers of unit files. */
const HOSTILE = [
  '\\n[Service]\\nExecStartPre=/bin/evil',
  '\\x0aExecStartPre=/bin/evil',
  '\\012ExecStartPre=/bin/evil',
  '\\u000aExecStartPre=/bin/evil',
  '\\r\\nExecStartPre=/bin/evil',
  '" ; /bin/evil ; "',
  ' ; /bin/evil',
  "' ",
  '"',
  '\\',
  '\\\\',
  '%n',
  '%%',
  '$HOME',
  '${X}',
  '#',
  ';',
  ' ',
  '\t',
  '=',
  ',',
  ':',
  'a',
  'x.volume',
  '\xc2\x85',
  '\xe2\x80\xa8',
  '\x1b[31m',
  '\x7f',
];

const NEEDED: Readonly<Record<string, string>> = {
  container: 'Image=localhost/i\n',
  kube: 'Yaml=/y\n',
  image: 'Image=localhost/i\n',
  build: 'ImageTag=localhost/i\nFile=/f\n',
  artifact: 'Artifact=localhost/a\n',
};

/** What a translation may write into [Unit] and [Service]. */
const WRITTEN = new Set(
  (
    'Wants After Requires BindsTo Before SourcePath RequiresMountsFor Description KillMode Environment ExecStop ExecStopPost ExecReload Delegate ' +
    'DelegateSubgroup ExecStartPre Type NotifyAccess SyslogIdentifier TimeoutStopSec LogExtraFields ExecStart PIDFile Restart RemainAfterExit WorkingDirectory'
  ).split(' '),
);

test('T32: no value of a key puts another directive into a unit, or another command into an Exec line', () => {
  const next = randomNumbers(32);
  let translated = 0;
  for (let i = 0; i < 4000; i++) {
    const type = UNIT_TYPES[next(UNIT_TYPES.length)] ?? 'container';
    const { rows, section } = keysOf(type);
    const key = rows[next(rows.length)]?.key ?? '';
    let value = '';
    for (let n = 1 + next(4); n > 0; n--) value += HOSTILE[next(HOSTILE.length)] ?? '';
    const file = `[${section}]\n${NEEDED[type] ?? ''}${key}=${value}\n`;
    const result = translate({ [`u.${type}`]: file, 'x.volume': '[Volume]\n' }).get(`u.${type}`);
    assert.ok(result !== undefined);
    if (!result.failed) translated++;
    checkUnit(result.text, file);
  }
  assert.ok(translated > 1000, `only ${translated} were translated at all`);
});

function checkUnit(text: string, file: string): void {
  let section = '';
  let starts = 0;
  let continued = false;
  for (const line of text.split('\n')) {
    const fresh = !continued;
    continued = /(^|[^\\])(\\\\)*\\$/.test(line) && !line.startsWith('#');
    if (line === '' || line.startsWith('#') || !fresh) continue;
    if (line.startsWith('[')) {
      section = line;
      continue;
    }
    if (section !== '[Unit]' && section !== '[Service]') continue;
    const key = line.slice(0, line.indexOf('='));
    assert.ok(WRITTEN.has(key), `${JSON.stringify(file)} gave ${JSON.stringify(line)}`);
    if (!key.startsWith('Exec')) continue;
    if (key === 'ExecStart') starts++;
    const { words, fault } = splitArguments(line.slice(key.length + 1));
    assert.equal(fault, undefined, line);
    assert.match(words[0] ?? '', /^[-+]?\/usr\/bin\/berth$/);
    const outsideQuotes = line.replace(/"(\\.|[^"\\])*"/g, 'q');
    assert.doesNotMatch(outsideQuotes, /(^|[ \t]);([ \t]|$)/, JSON.stringify(file));
  }
  assert.equal(starts, 1, text);
}

test('T32: neither a file name nor the text of a drop-in leaves its comment line', () => {
  assert.equal(comment('/etc/x\n[Service]\r\x85'), '# /etc/x\\n[Service]\\r\x85');
  assert.equal(oneLine('a\x1b[31mb'), 'a\\x1b[31mb');
});
