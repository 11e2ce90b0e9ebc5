import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readIndex, readManifest, type Document } from '../../../../src/image/registry/documents.ts';
import { choosePlatform, parsePlatform } from '../../../../src/image/registry/platform.ts';
import type { ImageManifest } from '../../../../src/image/registry/types.ts';
import { INDEX, manifest, MANIFEST, sha256 } from './server.ts';

const DATA = Buffer.from('x');

function document(text: string, mediaType = ''): Document {
  return { digest: sha256(text), mediaType, bytes: text };
}

function read(more: Record<string, unknown>, mediaType = ''): ImageManifest {
  const text = manifest(DATA, more);
  return readManifest(document(text, mediaType), sha256(text), 'r.io/x:1');
}

test('manifests of OCI and of Docker, with or without a media type', () => {
  assert.equal(read({}).mediaType, MANIFEST);
  assert.equal(read({ mediaType: undefined }, 'text/plain; charset=utf-8').mediaType, MANIFEST);
  const docker = read({
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', digest: sha256('{}'), size: 2 },
    layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', digest: sha256('x'), size: 1 }],
  });
  assert.deepEqual(
    docker.layers.map(layer => layer.packing),
    ['gzip'],
  );
});

test('what is no image is refused by name', () => {
  const layer = (mediaType: string): Record<string, unknown> => ({
    layers: [{ mediaType, digest: sha256('x'), size: 1 }],
  });
  const cases: [() => unknown, RegExp][] = [
    [() => read({ schemaVersion: 1, mediaType: undefined }), /schema 1/],
    [() => read({ mediaType: 'application/vnd.docker.distribution.manifest.v1+prettyjws' }), /schema 1/],
    [() => read({ manifests: [] }), /a manifest that is an index too/],
    [
      () => readIndex(document(manifest(DATA, { mediaType: INDEX, manifests: [] })), 'n'),
      /an index that is a manifest too/,
    ],
    [
      () => read({ config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: sha256('x'), size: 2 } }),
      /artifact of the kind application\/vnd\.cncf\.helm/,
    ],
    [() => read(layer('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip')), /layer 1: it is kept elsewhere/],
    [() => read(layer('application/vnd.oci.image.layer.v1.tar+gzip+encrypted')), /encrypted/],
    [() => read(layer('application/\u001b[31m')), /known: application\/\?\[31m/],
    [() => read({ layers: Array.from({ length: 501 }, () => ({})) }), /501 layers/],
    [() => read({ config: { mediaType: '', digest: '../../etc', size: 2 } }), /a digest that is none/],
    [() => read({ layers: [{ mediaType: '', digest: sha256('x'), size: -1 }] }), /a size that is none/],
    [() => read({ layers: {} }), /layers is not a list/],
  ];
  for (const [action, words] of cases) assert.throws(action, words, String(words));
});

test('T34 an index of more manifests than anyone needs is refused', () => {
  const entries = (count: number): Document =>
    document(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: Array.from({ length: count }, entry) }));
  const entry = (): unknown => ({ mediaType: MANIFEST, digest: sha256('x'), size: 1 });
  assert.equal(readIndex(entries(1000), 'n')?.length, 1000);
  assert.throws(() => readIndex(entries(1001), 'n'), /an index of 1001 manifests/);
});

test('T19 a digest with a path in it is none', () => {
  assert.throws(
    () => read({ layers: [{ mediaType: '', digest: 'sha256:../../../../etc/passwd', size: 1 }] }),
    /a digest that is none/,
  );
});

const entry = (os: string, architecture: string, variant?: string): Record<string, unknown> => ({
  mediaType: MANIFEST,
  digest: sha256(`${os}${architecture}${variant ?? ''}`),
  size: 1,
  platform: { os, architecture, variant },
});

test('the platform is chosen, or what there is is said', () => {
  const manifests = [
    entry('unknown', 'unknown'),
    { ...entry('linux', 'amd64'), annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
    entry('linux', 'amd64', 'v3'),
    entry('linux', 'amd64'),
    entry('linux', 'arm64', 'v8'),
    entry('linux', 'arm', 'v5'),
    entry('linux', 'arm', 'v6'),
    entry('windows', 'amd64'),
  ];
  const text = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });
  const entries = readIndex(document(text), 'r.io/x:1') ?? [];
  const choose = (platform: string): string => {
    const wanted = parsePlatform(platform);
    assert.ok(wanted !== undefined);
    return choosePlatform(entries, wanted, 'r.io/x:1').digest;
  };
  assert.equal(choose('linux/amd64'), sha256('linuxamd64'));
  assert.equal(choose('linux/x86_64'), sha256('linuxamd64'));
  assert.equal(choose('linux/amd64/v3'), sha256('linuxamd64v3'));
  assert.equal(choose('linux/arm64'), sha256('linuxarm64v8'));
  assert.equal(choose('linux/arm/v7'), sha256('linuxarmv6'));
  assert.equal(choose('linux/arm/v5'), sha256('linuxarmv5'));
  assert.throws(
    () => choose('linux/riscv64'),
    /r\.io\/x:1: no image for linux\/riscv64; there is linux\/amd64\/v3, linux\/amd64, linux\/arm64\/v8, .*windows\/amd64; choose with --platform/,
  );
  // Of one that no platform is said of the configuration tells it: it is taken when none is better. A signature is no image.
  const said = entry('linux', 'amd64');
  const unsaid = { ...entry('un', 'said'), platform: undefined };
  const signature = {
    ...unsaid,
    digest: sha256('signature'),
    artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  };
  const mixed = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [signature, unsaid, said] });
  const others = readIndex(document(mixed), 'r.io/x:1') ?? [];
  assert.equal(choosePlatform(others, { os: 'linux', architecture: 'amd64' }, 'x').digest, sha256('linuxamd64'));
  assert.equal(choosePlatform(others, { os: 'linux', architecture: 'riscv64' }, 'x').digest, sha256('unsaid'));
  for (const bad of ['linux', 'a/b/c/d', 'Linux/amd64', 'linux/', 'linux/../x'])
    assert.equal(parsePlatform(bad), undefined, bad);
});
