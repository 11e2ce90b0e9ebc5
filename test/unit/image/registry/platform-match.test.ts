import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFor } from '../../../../src/image/registry/platform-match.ts';

test('an image is compared with what was asked for of system, architecture and variant', () => {
  const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };
  const amd64 = { os: 'linux', architecture: 'amd64' };
  for (const asked of [
    {},
    { os: '', architecture: '', variant: '' },
    { os: 'linux' },
    { architecture: 'arm' },
    { variant: 'v7' },
    { architecture: 'arm', variant: 'v8' },
  ])
    assert.equal(isFor(arm, asked), true, JSON.stringify(asked));
  for (const asked of [{ os: 'freebsd' }, { architecture: 'arm64' }, { variant: 'v6' }, { os: 'linux', variant: 'v5' }])
    assert.equal(isFor(arm, asked), false, JSON.stringify(asked));
  assert.equal(isFor(amd64, { architecture: 'x86_64', variant: 'v3' }), true);
  assert.equal(isFor({ ...amd64, variant: 'v3' }, { variant: 'v2' }), false);
  assert.equal(isFor({ os: 'linux', architecture: 'arm64', variant: 'v8' }, { architecture: 'aarch64' }), true);
});
