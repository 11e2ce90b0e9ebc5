import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from '../../../src/plan/parse-values.ts';

function table<T>(name: string, read: (text: string) => T, rows: readonly (readonly [string, T])[]): void {
  test(name, () => {
    for (const [text, expected] of rows) assert.deepEqual(read(text), expected, JSON.stringify(text));
  });
}

table('sizes are powers of 1024', v.readSize, [
  ['10', 10],
  ['0', 0],
  ['10b', 10],
  ['64k', 65536],
  ['64K', 65536],
  ['1.5g', 1610612736],
  ['2 MiB', 2097152],
  ['1kb', 1024],
  ['1t', 1099511627776],
  ['', undefined],
  ['k', undefined],
  ['-1', undefined],
  ['1x', undefined],
  ['1kk', undefined],
  ['1..5k', undefined],
  ['99999999p', undefined],
]);

table('durations are those of Go', v.readDuration, [
  ['1s', 1],
  ['1h2m3.5s', 3723.5],
  ['300ms', 0.3],
  ['0', 0],
  ['5', undefined],
  ['', undefined],
  ['1constructor', undefined],
  ['s', undefined],
]);

table('signals by name and number', v.readSignal, [
  ['15', 15],
  ['TERM', 15],
  ['SIGTERM', 15],
  ['sigkill', 9],
  ['SIGRTMIN+3', 37],
  ['RTMAX-1', 63],
  ['RTMIN', 34],
  ['SYS', 31],
  ['IOT', 6],
  ['0', undefined],
  ['65', undefined],
  ['RTMIN-1', undefined],
  ['RTMIN+31', undefined],
  ['FOO', undefined],
  ['', undefined],
]);

table('restart policies', v.readRestart, [
  ['no', { after: 'never' }],
  ['', { after: 'never' }],
  ['always', { after: 'always' }],
  ['unless-stopped', { after: 'always', unlessStopped: true }],
  ['on-failure', { after: 'failure' }],
  ['on-failure:5', { after: 'failure', most: 5 }],
  ['on-failure:0', { after: 'failure' }],
  ['on-failure:', undefined],
  ['on-failure:-1', undefined],
  ['always:3', undefined],
  ['Always', undefined],
]);

table('T13: ids are unsigned and below 4294967295', v.readId, [
  ['0', 0],
  ['4294967294', 4294967294],
  ['4294967295', undefined],
  ['4294967296', undefined],
  ['-1', undefined],
  ['+1', undefined],
  [' 1', undefined],
  ['1e3', undefined],
  ['0x10', undefined],
  ['18446744073709551616', undefined],
  ['', undefined],
]);

table('T20: names', v.isName, [
  ['a', true],
  ['web-1.x_y', true],
  ['', false],
  ['-a', false],
  ['.a', false],
  ['..', false],
  ['a/b', false],
  ['a b', false],
  ['a\n', false],
  ['\u00e4', false],
  ['a'.repeat(255), true],
  ['a'.repeat(256), false],
]);

table('comma-separated values with quotes', v.splitCsv, [
  ['a,b', ['a', 'b']],
  ['type=bind,"src=/a,b",dst=/c', ['type=bind', 'src=/a,b', 'dst=/c']],
  ['"a""b",c', ['a"b', 'c']],
  ['a,', ['a', '']],
  ['""', ['']],
  ['"a', undefined],
  ['a"b', undefined],
  ['"a"b', undefined],
]);

table('paths', v.cleanPath, [
  ['/a/b', '/a/b'],
  ['/a//b/', '/a/b'],
  ['/a/./b/../c', '/a/c'],
  ['/../..', '/'],
  ['/', '/'],
  ['/a/.hidden', '/a/.hidden'],
  ['a', undefined],
  ['', undefined],
  ['/a\0b', undefined],
]);

table('booleans', v.readBoolean, [
  ['true', true],
  ['', true],
  ['1', true],
  ['F', false],
  ['0', false],
  ['yes', undefined],
]);
