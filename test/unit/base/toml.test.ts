import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from '../../../src/base/problem.ts';
import { parseToml } from '../../../src/base/toml.ts';

test('TOML of byte strings: keys and strings stay bytes', () => {
  const bytes = Buffer.from('path = "/srv/ä"\n[["täble"]]\nlist = ["é", 1, true]\n', 'utf8').toString('latin1');
  const wanted = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
  assert.deepEqual(parseToml(bytes, 'f')._unsafeUnwrap(), {
    path: wanted('/srv/ä'),
    [wanted('täble')]: [{ list: [wanted('é'), 1, true] }],
  });
});

test('what is no TOML is one line with its place', () => {
  const lines = (bytes: string): string[] => parseToml(bytes, '/etc/x.conf')._unsafeUnwrapErr().map(describe);
  const [line = ''] = lines('a = 1\nb = = 2\n');
  assert.match(line, /^\/etc\/x\.conf:2:\d+: is not TOML: \S/);
  assert.ok(!line.includes('\n'));
  assert.deepEqual(lines('a = "\xff"\n'), ['/etc/x.conf:1: is not UTF-8']);
  assert.equal(lines('a = 1\na = 2\n').length, 1);
  assert.equal(parseToml('__proto__ = 1\n', 'f').isOk(), true);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});
