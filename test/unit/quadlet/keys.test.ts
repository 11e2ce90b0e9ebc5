import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseVerb } from '../../../src/command/parse.ts';
import type { VerbRow } from '../../../src/command/types.ts';
import type { KeyRow } from '../../../src/quadlet/keys.ts';
import { keysOf } from '../../../src/quadlet/key-tables.ts';
import { UNIT_TYPES, type UnitType } from '../../../src/unit/names.ts';
import { splitArguments } from '../../../src/unit/values.ts';
import { LATER_VERBS, VERBS } from '../../../src/verbs/table.ts';
import { problemsOf, translate, valuesOf } from './translate-helpers.ts';

/** The verb whose options the keys of a type become. */
const VERB_OF: Readonly<Record<UnitType, string>> = {
  container: 'run',
  pod: 'pod create',
  volume: 'volume create',
  network: 'network create',
  kube: 'kube play',
  image: 'image pull',
  build: 'build',
  artifact: 'artifact pull',
};

/** What a unit of a type needs to be translated at all. */
const NEEDED: Readonly<Record<UnitType, string>> = {
  container: 'Image=localhost/i\n',
  pod: '',
  volume: 'Device=/dev/x\n',
  network: 'Subnet=10.0.0.0/24\n',
  kube: 'Yaml=/y.yml\n',
  image: 'Image=localhost/i\n',
  build: 'ImageTag=localhost/i\nFile=/f\n',
  artifact: 'Artifact=localhost/a\n',
};

const COUNTS: Readonly<Record<UnitType, number>> = {
  container: 94,
  pod: 29,
  volume: 16,
  network: 18,
  kube: 19,
  image: 18,
  build: 28,
  artifact: 13,
};

function verbOf(type: UnitType): VerbRow {
  const verb = [...VERBS, ...LATER_VERBS].find(row => row.name === VERB_OF[type]);
  assert.ok(verb !== undefined, type);
  // A refused option is known all the same: the runtime says why it refuses.
  return { ...verb, options: verb.options.map(({ refused: _, ...row }) => row) };
}

const SAMPLES: Readonly<Record<string, string>> = {
  size: '64m',
  duration: '10s',
  count: '3',
  port: '8080:80',
  expose: '80/udp',
  signal: 'SIGUSR1',
  name: 'name1',
  address: '10.0.0.2',
  capability: 'NET_ADMIN',
};

const OWN: Readonly<Record<string, string>> = {
  Notify: 'yes',
  Pod: 'p.pod',
  RemapUsers: 'keep-id',
  RemapUid: '1',
  RemapGid: '1',
  RemapUidSize: '10',
  Mount: 'type=tmpfs,destination=/x',
  SetWorkingDirectory: 'unit',
  User: 'root',
  Group: 'root',
  Rootfs: '/r',
  AddDevice: '/dev/null',
  Driver: 'local',
  File: '/f',
};

function sample(row: KeyRow): string {
  return (
    OWN[row.key] ?? (row.kind === 'bool' ? 'yes' : row.check === undefined ? 'value1' : (SAMPLES[row.check] ?? ''))
  );
}

/** Keys that only work together with, or in place of, another one. */
function fileFor(type: UnitType, row: KeyRow): string {
  const section = keysOf(type).section;
  const replaced = type === 'container' && row.key === 'Rootfs' ? '' : NEEDED[type];
  const user = row.key === 'Group' && type === 'container' ? 'User=root\n' : '';
  const remap = /^Remap(Uid|Gid|UidSize)$/.test(row.key)
    ? `RemapUsers=${row.key === 'RemapUidSize' ? 'auto' : 'keep-id'}\n`
    : '';
  return `[${section}]\n${replaced}${user}${remap}${row.key}=${sample(row)}\n`;
}

for (const type of UNIT_TYPES) {
  test(`.${type}: the table has all keys of the peer, each once, with a line of help and a version`, () => {
    const { rows } = keysOf(type);
    assert.equal(rows.length, COUNTS[type]);
    assert.equal(new Set(rows.map(row => row.key)).size, rows.length);
    for (const row of rows) assert.match(row.since, /^[4-6]\.\d+$/, row.key);
    for (const row of rows) assert.ok(row.help !== '' && row.help.length < 90 && !row.help.endsWith('.'), row.key);
  });

  test(`.${type}: every key is translated, and its verb knows every option that comes of it`, () => {
    const verb = verbOf(type);
    for (const row of keysOf(type).rows) {
      const name = `u.${type}`;
      const files = { [name]: fileFor(type, row), 'p.pod': '[Pod]\n' };
      const result = translate(files).get(name);
      assert.deepEqual(
        problemsOf(result).filter(p => p.startsWith('error')),
        [],
        `${row.key}: ${result?.text ?? ''}`,
      );
      const lines = valuesOf(result?.text ?? '', 'Service', type === 'pod' ? 'ExecStartPre' : 'ExecStart');
      const [program, ...words] = splitArguments(lines.at(-1) ?? '').words;
      assert.equal(program, '/usr/bin/berth');
      if (row.key === 'GlobalArgs' || row.key === 'PodmanArgs') continue;
      const parsed = parseVerb(verb, ['berth', ...words]);
      assert.ok(parsed.isOk(), `${row.key}: ${words.join(' ')} ${parsed.isErr() ? JSON.stringify(parsed.error) : ''}`);
      if (row.option === '' || row.special === true) continue;
      assert.ok(
        parsed.value.options.some(use => use.name === row.option),
        `${row.key}: --${row.option} in ${words.join(' ')}`,
      );
    }
  });
}

test('help of keys is ASCII: the native program writes bytes', () => {
  const texts = UNIT_TYPES.flatMap(type => keysOf(type).rows.map(row => row.help));
  assert.ok(texts.length > 100);
  assert.deepEqual(
    texts.filter(text => !/^[\x20-\x7e]*$/.test(text)),
    [],
  );
});
