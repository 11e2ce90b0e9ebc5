import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedBytes, totalBytes } from '../../../src/image/collect.ts';
import type { Digest, ImageRecord } from '../../../src/image/types.ts';

const layer = (name: string): Digest => `sha256:${name.repeat(64)}` as Digest;
const [A, B, C] = [layer('a'), layer('b'), layer('c')];

function image(id: string, layers: readonly Digest[]): ImageRecord {
  const config = {
    entrypoint: [],
    command: [],
    environment: [],
    user: '',
    workingDirectory: '',
    exposedPorts: [],
    volumes: [],
    stopSignal: '',
    labels: {},
  };
  return { version: 1, id, architecture: 'amd64', os: 'linux', created: '', layers, size: 0, config };
}

const SIZES = new Map([
  [A, 100],
  [B, 10],
  [C, 1],
]);
const sizes = (one: Digest): number => SIZES.get(one) ?? 0;

test('bytes of an image alone and together with others; a layer that it has twice counts once', () => {
  const images = [image('1', [A, B, B]), image('2', [A, C])];
  assert.deepEqual(
    [...sharedBytes(images, sizes)],
    [
      ['1', { unique: 10, shared: 100 }],
      ['2', { unique: 1, shared: 100 }],
    ],
  );
  assert.equal(totalBytes(images, sizes), 111);
});
