import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../../../src/command/types.ts';
import { fakeHost } from '../../../src/host/fake.ts';
import { ensureImage } from '../../../src/run/fetch.ts';
import { OF_AN_IMAGE } from './start-fixture.ts';

const STORE = '/store';
const ID = '1'.repeat(64);

/** Whether `run --pull=never` takes an image for linux/arm/v7 that is there; the reason when it does not. */
function taken(asked: Record<string, string>): string | undefined {
  const more = { created: '', layers: [], size: 0, config: {} };
  const record = { version: 1, id: ID, os: 'linux', architecture: 'arm', variant: 'v7', ...more };
  const files = {
    [`${STORE}/images/${ID}.json`]: JSON.stringify(record),
    [`${STORE}/names/localhost%2Fweb:latest`]: `${ID}\n`,
  };
  const options = Object.entries(asked).map(([name, value]) => ({ name, value }));
  const command = { globals: [], verb: 'run', options, operands: [] } as unknown as Command;
  const request = { ...OF_AN_IMAGE, image: 'localhost/web', pull: 'never' as const };
  try {
    return ensureImage(fakeHost({ files }), command, request, STORE, false)?.record.id;
  } catch (error) {
    return (error as Error).message;
  }
}

test('an image that is there is used if it is for what was asked for: system, architecture and variant', () => {
  for (const asked of [
    {},
    { platform: 'linux/arm' },
    { platform: 'linux/arm/v7' },
    { os: 'linux', arch: 'arm', variant: 'v8' },
  ])
    assert.equal(taken(asked as Record<string, string>), ID, JSON.stringify(asked));
  for (const asked of [
    { platform: 'linux/amd64' },
    { platform: 'freebsd/arm' },
    { platform: 'linux/arm/v6' },
    { os: 'freebsd' },
    { arch: 'arm64' },
    { variant: 'v5' },
  ])
    assert.match(taken(asked) ?? '', /it is for linux\/arm/, JSON.stringify(asked));
});
