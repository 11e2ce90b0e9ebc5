import { listOf, objectOf, parseDocument, textOf } from '../config.ts';
import { parseDigest } from '../digest.ts';
import type { Digest } from '../types.ts';
import { RegistryError } from './error.ts';
import { IMAGES, INDEXES } from './media-types.ts';
import {
  MANIFEST_LIMIT,
  type Descriptor,
  type ImageManifest,
  type LayerDescriptor,
  type Packing,
  type Platform,
} from './types.ts';

/** What a tag or digest leads to, verified against its digest already. */
export interface Document {
  readonly digest: Digest;
  /** `Content-Type`, or what the document says of itself. */
  readonly mediaType: string;
  readonly bytes: string;
}

export interface IndexEntry extends Descriptor {
  /** Absent where the index names none. */
  readonly platform?: Platform;
}

const CONFIGURATIONS = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'];
const LAYER_LIMIT = 500;
const INDEX_LIMIT = 1000;

/** The entries of an index, or undefined when the document is a manifest. `name` is for messages. */
export function readIndex(document: Document, name: string): IndexEntry[] | undefined {
  const top = objectOf(parseDocument(document.bytes, name), name);
  const type = mediaTypeOf(document, top);
  refuseSchema1(type, top, name);
  if (!INDEXES.includes(type)) return undefined;
  // One document that two readers take for two different images. https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
  if ('layers' in top || 'config' in top)
    throw new RegistryError('bad-answer', `${name}: an index that is a manifest too`);
  const entries = listOf(top['manifests'] ?? [], `${name}: manifests`);
  if (entries.length > INDEX_LIMIT)
    throw new RegistryError('too-large', `${name}: an index of ${entries.length} manifests`);
  return entries.map(entry => indexEntry(entry, name)).filter(entry => entry !== undefined);
}

/** The manifest of an image. `named`: digest of what the tag names. */
export function readManifest(document: Document, named: Digest, name: string): ImageManifest {
  const top = objectOf(parseDocument(document.bytes, name), name);
  const mediaType = mediaTypeOf(document, top);
  refuseSchema1(mediaType, top, name);
  if (!IMAGES.includes(mediaType))
    throw new RegistryError('unsupported', `${name}: a document of the kind ${shown(mediaType)}, not an image`);
  if ('manifests' in top) throw new RegistryError('bad-answer', `${name}: a manifest that is an index too`);
  const config = descriptorOf(top['config'], `${name}: config`);
  if (!CONFIGURATIONS.includes(config.mediaType))
    throw new RegistryError(
      'unsupported',
      `${name}: not a container image but an artifact of the kind ${shown(config.mediaType)}`,
    );
  if (config.size > MANIFEST_LIMIT)
    throw new RegistryError('too-large', `${name}: a configuration of ${config.size} bytes`);
  const layers = listOf(top['layers'] ?? [], `${name}: layers`);
  if (layers.length > LAYER_LIMIT)
    throw new RegistryError('too-large', `${name}: ${layers.length} layers, the limit is ${LAYER_LIMIT}`);
  return {
    digest: document.digest,
    named,
    mediaType,
    bytes: document.bytes,
    config,
    layers: layers.map((layer, i) => layerOf(layer, `${name}: layer ${i + 1}`)),
  };
}

/** Servers that know no better call it text/plain or application/json: then the document's own word counts, else its form. */
function mediaTypeOf(document: Document, top: Record<string, unknown>): string {
  const header = document.mediaType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (header.startsWith('application/vnd.')) return header;
  const own = textOf(top, 'mediaType');
  if (own !== '') return own;
  if ('manifests' in top) return INDEXES[0] ?? '';
  return 'layers' in top ? (IMAGES[0] ?? '') : header;
}

function refuseSchema1(type: string, top: Record<string, unknown>, name: string): void {
  if (!type.startsWith('application/vnd.docker.distribution.manifest.v1') && top['schemaVersion'] !== 1) return;
  throw new RegistryError(
    'unsupported',
    `${name}: an image of Docker's schema 1, which nothing verifies; push it again with a current tool`,
  );
}

/** Attestations, artifacts and what is for the platform `unknown` are left out. */
function indexEntry(value: unknown, name: string): IndexEntry | undefined {
  const object = objectOf(value, `${name}: an entry`);
  const descriptor = descriptorOf(object, `${name}: an entry`);
  const platform = objectOf(object['platform'] ?? {}, `${name}: platform`);
  const annotations = objectOf(object['annotations'] ?? {}, `${name}: annotations`);
  if ('vnd.docker.reference.type' in annotations) return undefined;
  if (![...IMAGES, ...INDEXES].includes(descriptor.mediaType)) return undefined;
  const [os, architecture, variant] = [
    textOf(platform, 'os'),
    textOf(platform, 'architecture'),
    textOf(platform, 'variant'),
  ];
  if (os === 'unknown') return undefined;
  if (descriptor.size > MANIFEST_LIMIT)
    throw new RegistryError('too-large', `${name}: a manifest of ${descriptor.size} bytes`);
  if (object['platform'] === undefined) return 'artifactType' in object ? undefined : descriptor;
  return {
    ...descriptor,
    platform: {
      os: shown(os),
      architecture: shown(architecture),
      ...(variant === '' ? {} : { variant: shown(variant) }),
    },
  };
}

function layerOf(value: unknown, where: string): LayerDescriptor {
  const descriptor = descriptorOf(value, where);
  const packing = PACKINGS[descriptor.mediaType];
  if (packing !== undefined) return { ...descriptor, packing };
  const type = descriptor.mediaType;
  if (type.includes('foreign') || type.includes('nondistributable'))
    throw new RegistryError('unsupported', `${where}: it is kept elsewhere (${shown(type)}), which is not supported`);
  if (type.endsWith('+encrypted'))
    throw new RegistryError('unsupported', `${where}: encrypted layers are not supported`);
  throw new RegistryError('unsupported', `${where}: not of a kind that is known: ${shown(type)}`);
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md, and those of Docker. */
const PACKINGS: Readonly<Record<string, Packing>> = {
  'application/vnd.oci.image.layer.v1.tar': 'none',
  'application/vnd.oci.image.layer.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd': 'zstd',
  'application/vnd.docker.image.rootfs.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': 'gzip',
  'application/vnd.docker.image.rootfs.diff.tar.zstd': 'zstd',
};

function descriptorOf(value: unknown, where: string): Descriptor {
  const object = objectOf(value, where);
  const digest = parseDigest(object['digest']);
  const size = object['size'];
  if (digest === undefined) throw new RegistryError('bad-answer', `${where}: a digest that is none`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw new RegistryError('bad-answer', `${where}: a size that is none`);
  return { mediaType: textOf(object, 'mediaType'), digest, size };
}

/** A stranger's word in a message. */
function shown(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?').slice(0, 100);
}
