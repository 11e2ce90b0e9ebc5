import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import Ajv from 'ajv';
import { fakeHost } from '../../../src/host/fake.ts';
import { main as check } from '../../../src/verbs/check.ts';

const required = createRequire(import.meta.url);

function schemaOf(module: string): object {
  return JSON.parse(readFileSync(required.resolve(module), 'utf8')) as object;
}

/** OASIS's schema, as a package of Microsoft's brings it; of JSON Schema's draft 4. */
const ajv = new Ajv({ schemaId: 'id', meta: false, unknownFormats: 'ignore', allErrors: true, logger: false });
ajv.addMetaSchema(schemaOf('ajv/lib/refs/json-schema-draft-04.json'));
const schema = ajv.compile(schemaOf('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'));

interface Result {
  readonly ruleId: string;
  readonly level: string;
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region?: { readonly startLine: number; readonly startColumn?: number };
    };
  }[];
}

/** What `berth check` prints about these files, after the schema has passed it. */
function sarifOf(files: Readonly<Record<string, string>>): Result[] {
  const host = fakeHost({
    argv: ['berth', 'check', '--format=sarif', '/q'],
    files,
    calls: { realpath: path => path, cwd: () => '/q' },
  });
  check(host);
  const log = JSON.parse(host.written.out) as { runs: { results: Result[] }[] };
  assert.ok(schema(log), JSON.stringify(schema.errors, null, 1));
  assert.equal(log.runs.length, 1);
  return log.runs[0]?.results ?? [];
}

test('the schema refuses what is no SARIF', () => {
  assert.ok(!schema({ version: '2.1.0', runs: [{ results: [] }] }));
  assert.ok(
    !schema({ version: '2.1.0', runs: [{ tool: { driver: { name: 'x' } }, results: [{ message: { text: 1 } }] }] }),
  );
});

test('no problem at all', () => {
  assert.deepEqual(sarifOf({ '/q/a.container': '[Container]\nImage=localhost/a\n' }), []);
});

test('problems with and without a place, errors and warnings, of several files', () => {
  const results = sarifOf({
    '/q/a.container': '[Container]\nImage=localhost/a\nPublishPorts=1\nReadOnly=maybe\nVolume=data:/data\n',
    '/q/b.container': '[Unit]\n',
    '/q/c.container': '[Container]\nImage=localhost/a\nNetwork=none.network\nnonsense\n',
    '/q/d.volume': '\xff\n',
  });
  assert.deepEqual(new Set(results.map(one => one.level)), new Set(['error', 'warning']));
  const regions = results.map(one => one.locations[0]?.physicalLocation.region);
  assert.ok(regions.some(region => region === undefined));
  assert.ok(regions.some(region => (region?.startColumn ?? 0) > 1));
  assert.deepEqual(
    new Set(results.map(one => one.locations[0]?.physicalLocation.artifactLocation.uri)),
    new Set(['a.container', 'b.container', 'c.container', 'd.volume'].map(name => `file:///q/${name}`)),
  );
});

test('names are URIs, columns count as editors do', () => {
  const text = '[Container]\nImage=localhost/a\nEnvironment="\xc3\xa4\xf0\x9f\x90\xb3" "open\n';
  const results = sarifOf({ '/q/a b#1?%\xc3\xa4.container': text });
  const place = results.find(one => one.ruleId === 'quoting')?.locations[0]?.physicalLocation;
  assert.equal(place?.artifactLocation.uri, 'file:///q/a%20b%231%3F%25%C3%A4.container');
  const line = 'Environment="\u00e4\u{1f433}" "open';
  assert.deepEqual(place?.region, { startLine: 3, startColumn: line.indexOf('"open') + 1 });
});
