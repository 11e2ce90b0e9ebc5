import { createHash } from 'node:crypto';
import { listOf, objectOf, parseDocument, parseImageConfig, textOf } from '../config.ts';
import { digestAlgorithm, digestHex, parseDigest } from '../digest.ts';
import { ImageError } from '../error.ts';
import { formatReference, localReference, parseReference } from '../reference.ts';
import { choosePlatform, hostPlatform } from '../registry/platform.ts';
import type { Platform } from '../registry/types.ts';
import type { Digest } from '../types.ts';
import { DOCUMENT_LIMIT, type ArchiveImage, type BlobPlace, type Members } from './types.ts';

/** How a layout names its blobs. */
export type BlobName = (digest: Digest) => string;

export const layoutBlob: BlobName = digest => `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;

/**
 * The images of an OCI layout: one for each manifest that index.json names; of an index for several platforms ours.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export function ociImages(members: Members): ArchiveImage[] {
  const index = parseDocument(members.read('index.json', DOCUMENT_LIMIT), `${members.name}: index.json`);
  const found = manifestsOf(index, members).flatMap(entry =>
    fromDescriptor(members, entry, namesOf(entry.annotations), 0),
  );
  if (found.length === 0) throw new ImageError(`${members.name}: index.json names no image`);
  return found;
}

/** The image of one manifest, whose bytes the caller has. `names`: full references. */
export function manifestImage(
  members: Members,
  blobName: BlobName,
  manifest: { readonly digest: Digest; readonly bytes: string },
  names: readonly string[],
): ArchiveImage {
  const where = `${members.name}: manifest ${manifest.digest.slice(0, 19)}`;
  const document = objectOf(parseDocument(manifest.bytes, where), where);
  const described = descriptor(objectOf(document['config'], `${where}: config`), where);
  if (!CONFIGURATIONS.has(described.mediaType)) {
    throw new ImageError(
      `${where}: not a container image but ${described.mediaType === '' ? 'an unknown kind' : described.mediaType}`,
    );
  }
  const configuration = readVerified(members, blobName(described.digest), described.digest);
  const facts = parseImageConfig(configuration);
  const layers = listOf(document['layers'] ?? [], `${where}: layers`).map(layer => {
    const { digest, size } = descriptor(objectOf(layer, `${where}: a layer`), where);
    return {
      place: sized(members.place(blobName(digest)), size, `${members.name}: layer ${digest.slice(0, 19)}`),
      blob: digest,
    };
  });
  if (layers.length !== facts.layers.length) {
    throw new ImageError(
      `${where}: ${layers.length} layers, but the image's configuration lists ${facts.layers.length}`,
    );
  }
  const id = createHash('sha256').update(Buffer.from(configuration, 'latin1')).digest('hex');
  return { id, configuration, facts, manifest, layers, names };
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations: Record<string, unknown>;
  /** Absent where the index names none. */
  readonly platform?: Platform;
}

const INDEXES = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const CONFIGURATIONS = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

function fromDescriptor(members: Members, entry: Descriptor, names: readonly string[], depth: number): ArchiveImage[] {
  const bytes = readVerified(members, layoutBlob(entry.digest), entry.digest);
  const where = `${members.name}: ${entry.digest.slice(0, 19)}`;
  const document = objectOf(parseDocument(bytes, where), where);
  const isIndex = INDEXES.has(entry.mediaType) || (entry.mediaType === '' && 'manifests' in document);
  if (!isIndex) return [manifestImage(members, layoutBlob, { digest: entry.digest, bytes }, names)];
  if (depth > 3) throw new ImageError(`${where}: indexes within indexes`);
  const ours = choosePlatform(manifestsOf(document, members), hostPlatform(), where, '');
  return fromDescriptor(members, ours, names, depth + 1);
}

/** The entries of an index that are images for a platform; signatures and attestations are none. */
function manifestsOf(index: unknown, members: Members): Descriptor[] {
  const where = `${members.name}: index`;
  const list = listOf(objectOf(index, where)['manifests'] ?? [], `${where}: manifests`);
  const all = list.map(entry => descriptor(objectOf(entry, where), where));
  return all.filter(one => one.platform?.os !== 'unknown' && !('vnd.docker.reference.type' in one.annotations));
}

function descriptor(object: Record<string, unknown>, where: string): Descriptor {
  const digest = parseDigest(object['digest']);
  const size = object['size'];
  if (digest === undefined) throw new ImageError(`${where}: a digest that is none`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw new ImageError(`${where}: a size that is none`);
  return {
    digest,
    size,
    mediaType: textOf(object, 'mediaType'),
    annotations: objectOf(object['annotations'] ?? {}, `${where}: annotations`),
    ...(object['platform'] === undefined ? {} : { platform: platformOf(object['platform'], where) }),
  };
}

function platformOf(value: unknown, where: string): Platform {
  const object = objectOf(value, `${where}: platform`);
  const variant = textOf(object, 'variant');
  return {
    os: textOf(object, 'os'),
    architecture: textOf(object, 'architecture'),
    ...(variant === '' ? {} : { variant }),
  };
}

/** A layout says the whole name, or no more than a tag. */
function namesOf(annotations: Record<string, unknown>): string[] {
  for (const key of ['io.containerd.image.name', 'org.opencontainers.image.ref.name']) {
    const value = annotations[key];
    const reference = typeof value === 'string' ? parseReference(value) : undefined;
    if (reference !== undefined) return [formatReference(localReference(reference))];
  }
  return [];
}

function readVerified(members: Members, member: string, digest: Digest): string {
  const bytes = members.read(member, DOCUMENT_LIMIT);
  const found = createHash(digestAlgorithm(digest)).update(Buffer.from(bytes, 'latin1')).digest('hex');
  if (found === digestHex(digest)) return bytes;
  throw new ImageError(`${members.name}: ${member}: its digest is ${found.slice(0, 12)}...: the archive is corrupt`);
}

function sized(place: BlobPlace, size: number, where: string): BlobPlace {
  if (place.length === size) return place;
  throw new ImageError(`${where}: ${place.length} bytes, but the manifest says ${size}: the archive is corrupt`);
}
