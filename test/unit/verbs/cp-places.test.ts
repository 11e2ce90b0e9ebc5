import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../src/run/failure.ts';
import { clean, landing, parsePlace, type Kind } from '../../../src/verbs/cp-places.ts';

test('what is in a container, and what is a path of the host', () => {
  const shown = ['web:/a', 'web:a/../b/', './x:y', '/a:b', 'plain', '-', ':x'].map(word => {
    const { container, path } = parsePlace(word);
    return [container, path];
  });
  assert.deepEqual(shown, [
    ['web', '/a'],
    ['web', '/b'],
    [undefined, './x:y'],
    [undefined, '/a:b'],
    [undefined, 'plain'],
    [undefined, '-'],
    [undefined, ':x'],
  ]);
  assert.throws(() => parsePlace('web:'), Failure);
});

test('no path of a container leads above its root', () => {
  assert.equal(clean('/../../etc//./x/..'), '/etc');
  assert.equal(clean('..'), '/');
});

/** Where `cp FROM TO` lands when these are there. */
async function land(
  from: string,
  to: string,
  kind: 'file' | 'directory',
  there: Record<string, Kind>,
): Promise<string> {
  const { directory, name } = await landing({
    from: parsePlace(from),
    to: parsePlace(to),
    kind,
    overwrite: false,
    kindOf: ({ path }) => Promise.resolve(there[path] ?? 'absent'),
  });
  return `${directory} ${name}`;
}

test('the rules of podman-cp(1)', async () => {
  const there: Record<string, Kind> = { '/': 'directory', '/d': 'directory', '/f': 'file', '.': 'directory' };
  assert.equal(await land('x', 'c:/new', 'file', there), '/ new');
  assert.equal(await land('x', 'c:/d', 'file', there), '/d x');
  assert.equal(await land('x', 'c:/f', 'file', there), '/ f');
  assert.equal(await land('x', 'c:/new', 'directory', there), '/ new');
  assert.equal(await land('x/.', 'c:/new', 'directory', there), '/ new');
  assert.equal(await land('x', 'c:/d/', 'directory', there), '/d x');
  assert.equal(await land('x/.', 'c:/d', 'directory', there), '/d ');
  assert.equal(await land('c:/', '/d', 'directory', there), '/d ');
  assert.equal(await land('c:/x', 'new', 'file', there), '. new');
  await assert.rejects(land('x', 'c:/new/', 'file', there), Failure);
  await assert.rejects(land('x', 'c:/f/', 'file', there), Failure);
  await assert.rejects(land('x', 'c:/no/such', 'file', there), Failure);
  await assert.rejects(land('x', 'c:/f', 'directory', there), Failure);
});
