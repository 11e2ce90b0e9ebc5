import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layoutBlob, ociImages } from '../../../../src/image/archive/oci.ts';
import type { Members } from '../../../../src/image/archive/types.ts';
import { hostPlatform } from '../../../../src/image/registry/platform.ts';
import { CONFIG, INDEX, MANIFEST, sha256 } from '../registry/server.ts';

const { architecture } = hostPlatform();

type Entry = Readonly<Record<string, unknown>>;

/** A layout whose one index has these entries; each is of an image whose label tells which. */
function layout(entries: readonly Entry[]): Members {
  const files = new Map<string, string>();
  const put = (mediaType: string, value: unknown): { mediaType: string; digest: string; size: number } => {
    const bytes = JSON.stringify(value);
    const digest = sha256(bytes);
    files.set(layoutBlob(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const manifests = entries.map((entry, i) => {
    const facts = { architecture, os: 'linux', config: { Labels: { which: String(i) } }, rootfs: { diff_ids: [] } };
    return { ...put(MANIFEST, { schemaVersion: 2, config: put(CONFIG, facts), layers: [] }), ...entry };
  });
  files.set('index.json', JSON.stringify({ manifests: [put(INDEX, { schemaVersion: 2, manifests })] }));
  const read = (member: string): string => files.get(member) ?? assert.fail(`no ${member}`);
  return {
    name: 'a layout',
    kind: 'archive',
    has: member => files.has(member),
    read,
    place: member => ({ fd: -1, offset: 0, length: read(member).length }),
    close: () => undefined,
  };
}

const chosen = (...entries: Entry[]): string[] =>
  ociImages(layout(entries)).map(({ facts }) => facts.config.labels['which'] ?? '');
const of = (os: string, architecture: string, variant?: string): Entry => ({
  platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
});

test('of an index for several platforms the entry is taken that a pull would take', () => {
  const ours = of('linux', architecture);
  assert.deepEqual(chosen({}, of('linux', 's390x'), ours), ['2']);
  assert.deepEqual(chosen(of('windows', architecture), ours), ['1']);
  assert.deepEqual(chosen(of('linux', 's390x'), {}), ['1']);
  if (architecture === 'amd64') assert.deepEqual(chosen(of('linux', 'amd64', 'v4'), ours), ['1']);
  assert.throws(
    () => chosen(of('linux', 's390x'), of('unknown', 'unknown')),
    new RegExp(`no image for linux/${architecture}.*; there is linux/s390x$`),
  );
});
