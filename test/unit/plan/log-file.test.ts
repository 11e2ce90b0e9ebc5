import assert from 'node:assert/strict';
import test from 'node:test';
import { logPlan } from '../../../src/plan/log-file.ts';

const asks = (logDriver: 'journald' | 'none' | 'k8s-file' | 'json-file', ...logOptions: string[]): unknown =>
  logPlan({ logDriver, logOptions });

test('a log file: its place, its size and how many there are', () => {
  assert.deepEqual(asks('k8s-file'), { file: { path: '', most: 0, files: 2 }, warnings: [] });
  assert.deepEqual(asks('json-file', 'path=/a/b=c', 'max-size=10m', 'max-file=5', 'tag=x'), {
    file: { path: '/a/b=c', most: 10 << 20, files: 5 },
    warnings: [],
  });
});

test('what is wrong with a log file is said', () => {
  for (const [option, text] of [
    ['path=a', '--log-opt path=a: not the absolute path of a file'],
    ['path=/a/', '--log-opt path=/a/: not the absolute path of a file'],
    ['max-size=ten', '--log-opt max-size=ten: not a size such as 10m'],
    ['max-file=0', '--log-opt max-file=0: not a number from 1 to 1000'],
  ] as const)
    assert.equal(asks('k8s-file', option), text);
});

test('an option that a driver has no use for is a warning', () => {
  const warnings = ['--log-opt path: the log driver journald has no such option; it is left out'];
  assert.deepEqual(asks('journald', 'tag=x', 'path=/a'), { warnings });
  assert.deepEqual(asks('none'), { warnings: [] });
});
