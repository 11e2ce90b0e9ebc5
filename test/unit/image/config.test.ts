import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseImageConfig } from '../../../src/image/config.ts';

const DIFF = `sha256:${'1'.repeat(64)}`;

function image(config: object, top: object = {}): string {
  return JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [DIFF] },
    config,
    ...top,
  });
}

test('the listed fields are taken, in our names', () => {
  const facts = parseImageConfig(
    image({
      Entrypoint: ['/init'],
      Cmd: ['a', 'b'],
      Env: ['A=1'],
      User: '33:33',
      WorkingDir: '/srv',
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      StopSignal: 'SIGINT',
      Labels: { x: 'y' },
      Healthcheck: { Test: ['CMD', 'true'], Interval: 1000, Retries: 3 },
    }),
  );
  assert.deepEqual(facts.layers, [DIFF]);
  assert.deepEqual(facts.config, {
    entrypoint: ['/init'],
    command: ['a', 'b'],
    environment: ['A=1'],
    user: '33:33',
    workingDirectory: '/srv',
    exposedPorts: ['80/tcp'],
    volumes: ['/data'],
    stopSignal: 'SIGINT',
    labels: { x: 'y' },
    healthcheck: { test: ['CMD', 'true'], interval: 1000, retries: 3 },
  });
});

test('T14 nothing else of an image is kept', () => {
  const facts = parseImageConfig(
    image(
      { SecurityOpt: ['seccomp=unconfined'], Privileged: true, Annotations: { a: 'b' } },
      { annotations: { run: 'oci' }, hostConfig: { Privileged: true } },
    ),
  );
  assert.deepEqual(facts, parseImageConfig(image({})));
});

test('null and absent fields are empty', () => {
  const facts = parseImageConfig(
    image({ Entrypoint: null, Cmd: null, Env: null, Labels: null, Volumes: null, ExposedPorts: null }),
  );
  assert.deepEqual(facts.config.entrypoint, []);
  assert.deepEqual(facts.config.labels, {});
  assert.deepEqual(parseImageConfig(image(null as unknown as object)).config.command, []);
});

test('T22 wrong kinds are one line that names the key', () => {
  const cases: [string, RegExp][] = [
    ['not json', /the image's configuration is not JSON$/],
    ['[]', /is not an object/],
    ['{}', /rootfs is not an object/],
    [image({ Env: 'text\0' }), /Env is not a text/],
    [image({ Env: [1] }), /Env is not a text/],
    [image({ Cmd: {} }), /Cmd is not a list/],
    [image({ Labels: ['x'] }), /Labels is not an object/],
    [image({ User: 0 }), /User is not a text/],
    [image({}, { rootfs: { diff_ids: ['sha256:../..'] } }), /diff_ids holds something that is no digest/],
    [image({}, { rootfs: { diff_ids: Array.from({ length: 501 }, () => DIFF) } }), /501 layers, the limit is 500/],
  ];
  for (const [text, message] of cases) assert.throws(() => parseImageConfig(text), message, text.slice(0, 60));
});

test('strings stay UTF-8 bytes, also from escapes', () => {
  const bytes = 'A=\xc3\xa4';
  assert.deepEqual(parseImageConfig(image({ Env: [bytes] })).config.environment, [bytes]);
  assert.deepEqual(parseImageConfig(image({ Env: ['A=?'] }).replace('?', '\\u00e4')).config.environment, [bytes]);
});

test('T34 depth counts outside of texts, and takes one pass over a text that never ends', () => {
  const deep = (levels: number): string =>
    image({ Labels: {} }, { more: '?' }).replace('"?"', '['.repeat(levels) + ']'.repeat(levels));
  assert.deepEqual(parseImageConfig(deep(99)), parseImageConfig(image({})));
  assert.throws(() => parseImageConfig(deep(100)), /nested more than 100 deep$/);
  const quoted = `\\"${'[{'.repeat(100)}\\`;
  assert.equal(parseImageConfig(image({ Labels: { a: quoted } })).config.labels['a'], quoted);
  // With a pass for each of its quotes this would not end.
  assert.throws(() => parseImageConfig(`{"a":"${'\\"'.repeat(2 << 20)}`), /is not JSON$/);
});
