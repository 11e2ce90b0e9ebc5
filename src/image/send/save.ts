import { createHash } from 'node:crypto';
import type { Host } from '../../host/host.ts';
import { configurationDigest, findBlob } from '../additional.ts';
import { digestHex, parseDigest } from '../digest.ts';
import { ImageError } from '../error.ts';
import type { Digest, ImageRecord } from '../types.ts';
import { gzipped, layerFile } from './layer-blob.ts';
import type { Target } from './target.ts';

/** An image and the full references it is saved under. */
export interface SavedImage {
  readonly record: ImageRecord;
  readonly names: readonly string[];
}

/** `docker save`: configuration and plain layers as members, manifest.json last. Layers that images share are written once. */
export async function saveDocker(
  host: Host,
  store: string,
  work: string,
  images: readonly SavedImage[],
  target: Target,
): Promise<void> {
  const written = new Set<string>();
  const manifest: unknown[] = [];
  for (const { record, names } of images) {
    const layers: string[] = [];
    for (const diffId of record.layers) {
      const member = `${digestHex(diffId)}.tar`;
      layers.push(member);
      if (written.has(member)) continue;
      written.add(member);
      const file = await layerFile(host, store, diffId, work);
      await target.file(member, file.path, file.size);
      file.remove();
    }
    await target.text(`${record.id}.json`, configurationOf(host, store, record));
    manifest.push({ Config: `${record.id}.json`, RepoTags: names.filter(name => !name.includes('@')), Layers: layers });
  }
  await target.text('manifest.json', JSON.stringify(manifest));
  await target.end();
}

/** An OCI layout: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export async function saveOci(
  host: Host,
  store: string,
  work: string,
  images: readonly SavedImage[],
  target: Target,
  compress: boolean,
): Promise<void> {
  const known = new Map<Digest, BlobDescriptor>();
  const index: unknown[] = [];
  await target.text('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
  for (const { record, names } of images) {
    for (const diffId of record.layers) {
      if (known.has(diffId)) continue;
      const plain = await layerFile(host, store, diffId, work);
      const file = compress ? await gzipped(plain) : plain;
      await target.file(`blobs/sha256/${digestHex(file.digest)}`, file.path, file.size);
      known.set(diffId, { mediaType: compress ? GZIP_LAYER : PLAIN_LAYER, digest: file.digest, size: file.size });
      file.remove();
    }
    const configuration = configurationOf(host, store, record);
    await target.text(`blobs/sha256/${record.id}`, configuration);
    const layers = record.layers.flatMap(diffId => known.get(diffId) ?? []);
    const manifest = ociManifest(record.id, configuration.length, layers);
    const digest = createHash('sha256').update(manifest).digest('hex');
    await target.text(`blobs/sha256/${digest}`, manifest);
    const described = { mediaType: MANIFEST, digest: `sha256:${digest}`, size: manifest.length };
    const named = names.map(name => ({ ...described, annotations: { 'org.opencontainers.image.ref.name': name } }));
    index.push(...(named.length > 0 ? named : [described]));
  }
  await target.text('index.json', JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: index }));
  await target.end();
}

export interface BlobDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const CONFIGURATION = 'application/vnd.oci.image.config.v1+json';
export const GZIP_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const PLAIN_LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** The manifest of an image whose layers lie so. */
export function ociManifest(id: string, configurationSize: number, layers: readonly BlobDescriptor[]): string {
  const config = { mediaType: CONFIGURATION, digest: `sha256:${id}`, size: configurationSize };
  return JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers });
}

/** Byte for byte; throws ImageError when it is not what the id says. */
export function configurationOf(host: Host, store: string, record: ImageRecord): string {
  const bytes = findBlob(host, store, configurationDigest(record.id));
  const digest =
    bytes && parseDigest(`sha256:${createHash('sha256').update(Buffer.from(bytes, 'latin1')).digest('hex')}`);
  if (bytes === undefined || digest !== `sha256:${record.id}`)
    throw new ImageError(
      `${record.id.slice(0, 12)}: its configuration is missing or broken; berth system check --repair`,
    );
  return bytes;
}
