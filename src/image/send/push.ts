import { createReadStream } from 'node:fs';
import { parseJson } from '../../base/json.ts';
import type { Host } from '../../host/host.ts';
import { configurationDigest, findBlob } from '../additional.ts';
import { digestHex, parseDigest } from '../digest.ts';
import { hashFor } from '../registry/hashing.ts';
import type { Descriptor, Registry } from '../registry/types.ts';
import type { Digest, ImageRecord } from '../types.ts';
import { gzipped, layerFile } from './layer-blob.ts';
import { configurationOf, GZIP_LAYER, MANIFEST, ociManifest } from './save.ts';

/**
 * Sends an image; the digest of its manifest there. `siblings`: repositories of the same registry that may have its blobs. What the registry has is not sent again. When it has all blobs that the image came with, the
 * manifest is the same, byte for byte; otherwise layers are compressed anew and the manifest names those. The image's id stays.
 */
export async function pushImage(
  host: Host,
  store: string,
  work: string,
  record: ImageRecord,
  registry: Registry,
  siblings: readonly string[],
  say: (line: string) => void,
): Promise<Digest> {
  const original = originalManifest(host, store, record);
  const layers: Descriptor[] = [];
  let same = original !== undefined;
  for (const [index, diffId] of record.layers.entries()) {
    const came = original?.layers[index];
    const label = `layer ${index + 1}/${record.layers.length}`;
    if (came !== undefined && (await isThere(registry, came.digest, siblings))) {
      layers.push(came);
      say(`${label}: is there`);
      continue;
    }
    const sent = await sendLayer(host, store, work, diffId, registry);
    same = same && sent.digest === came?.digest;
    layers.push(sent);
    say(`${label}: ${sent.size} bytes`);
  }
  const configuration = configurationOf(host, store, record);
  const bytes = Buffer.from(configuration, 'latin1');
  const id = configurationDigest(record.id);
  if (!(await registry.hasBlob(id))) {
    const described = { mediaType: 'application/octet-stream', digest: id, size: bytes.length };
    await registry.uploadBlob(described, () => one(bytes));
  }
  if (same && original !== undefined) return registry.putManifest(original.mediaType, original.bytes);
  const plain = layers.map(layer => ({ ...layer, mediaType: ociType(layer.mediaType) }));
  return registry.putManifest(MANIFEST, ociManifest(record.id, bytes.length, plain));
}

/** A registry may hand a blob from one of its repositories to another. */
async function isThere(registry: Registry, digest: Digest, siblings: readonly string[]): Promise<boolean> {
  if (await registry.hasBlob(digest)) return true;
  for (const path of siblings) if (await registry.mountBlob(digest, path)) return true;
  return false;
}

async function sendLayer(
  host: Host,
  store: string,
  work: string,
  diffId: Digest,
  registry: Registry,
): Promise<Descriptor> {
  const file = await gzipped(await layerFile(host, store, diffId, work));
  try {
    const described = { mediaType: GZIP_LAYER, digest: file.digest, size: file.size };
    if (!(await registry.hasBlob(file.digest)))
      await registry.uploadBlob(described, () => createReadStream(Buffer.from(file.path, 'latin1')));
    return described;
  } finally {
    file.remove();
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- a source is asynchronous, this one has its bytes
async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

interface Original {
  readonly mediaType: string;
  readonly bytes: string;
  readonly layers: readonly Descriptor[];
}

/** The manifest that the image came with; undefined when it came without one, or it is broken. */
function originalManifest(host: Host, store: string, record: ImageRecord): Original | undefined {
  const { manifest } = record;
  if (manifest === undefined) return undefined;
  const bytes = findBlob(host, store, manifest);
  if (bytes === undefined || hashFor(manifest).update(bytes, 'latin1').digest('hex') !== digestHex(manifest))
    return undefined;
  const document = parseJson(bytes) as { mediaType?: string; layers?: Descriptor[] };
  const layers = (document.layers ?? []).filter(layer => parseDigest(layer.digest) !== undefined);
  if (layers.length !== record.layers.length) return undefined;
  return { mediaType: document.mediaType ?? MANIFEST, bytes, layers };
}

/** Docker's word for a layer, in OCI's. */
function ociType(mediaType: string): string {
  if (mediaType.startsWith('application/vnd.oci.')) return mediaType;
  const base = 'application/vnd.oci.image.layer.v1.tar';
  return mediaType.endsWith('gzip') ? `${base}+gzip` : mediaType.endsWith('zstd') ? `${base}+zstd` : base;
}
