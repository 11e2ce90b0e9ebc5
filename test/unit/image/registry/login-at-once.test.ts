import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const SOURCE = fileURLToPath(new URL('../../../../src/', import.meta.url));

/** Keeps credentials for ten registries, one after the other, when a line comes. */
const writer = (number: number, file: string): string => `
import { nodeHost } from '${SOURCE}host/node.ts';
import { keepCredentials } from '${SOURCE}image/registry/auth-write.ts';
process.stdout.write('ready');
process.stdin.once('data', () => {
  for (let i = 0; i < 10; i++) keepCredentials(nodeHost(), { credentialHelpers: ['containers-auth.json'] }, '${file}', 'r${number}-' + i + '.io', 'me', 'x');
  process.exit(0);
});
`;

test('logins at once are all kept', async () => {
  const directory = mkdtempSync(`${tmpdir()}/login-`);
  const file = `${directory}/auth.json`;
  try {
    writeFileSync(file, '{"auths":{}}');
    const writers = [0, 1, 2].map(number => {
      writeFileSync(`${directory}/${number}.mts`, writer(number, file));
      return spawn(process.execPath, ['--import', 'tsx', `${directory}/${number}.mts`], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
    });
    // All are there before the first begins.
    await Promise.all(writers.map(child => once(child.stdout, 'data')));
    const ended = writers.map(child => once(child, 'close'));
    for (const child of writers) child.stdin.write('go\n');
    for (const [status] of (await Promise.all(ended)) as [number][]) assert.equal(status, 0);
    const { auths } = JSON.parse(readFileSync(file, 'utf8')) as { auths: object };
    assert.equal(Object.keys(auths).length, 30);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
