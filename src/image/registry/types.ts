import type { Digest } from '../types.ts';
import type { AccessOptions } from './access-options.ts';
import type { Platform } from './platform-match.ts';

export type { Platform };

/**
 * What the rest of Berth knows of registries (Node half only). In `open.ts`, `openRegistries(host, name, options): Registry[]` gives one for
 * each full reference that the name may mean (several only for a short name that no alias knows; try them in order), and
 * `openRegistry(host, fullReference, options): Registry` one: a repository with a tag or digest, behind its mirrors, policy, credentials
 * and certificates. Both read files only; the network is first used by the methods.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 *
 * Every failure is a `RegistryError` (`error.ts`), whose message is one line without secrets.
 */
export interface Registry {
  /** The full reference, `docker.io/library/busybox:latest`: the name under which an image of it is stored. */
  readonly reference: string;
  /** Digest that the tag has now (of the index, where there is one): one request without a body. */
  head(): Promise<Digest>;
  /** The manifest of the image for a platform; an index is followed. Throws `no-platform` listing what there is. */
  manifest(platform?: Platform): Promise<ImageManifest>;
  /**
   * Streams a blob into the sink, from `offset` on. Broken transfers go on by range where they stopped; the sink sees each byte
   * once, in order, and never more than `descriptor.size` (`bad-digest` when there are fewer or more). The digest is checked unless `unverified`.
   */
  blob(descriptor: Descriptor, sink: Sink, options?: BlobOptions): Promise<void>;
  /** A small blob as bytes, verified; `too-large` above `limit` bytes. */
  document(descriptor: Descriptor, limit: number): Promise<string>;
  /** All tags of the repository, in the registry's order. */
  tags(): Promise<string[]>;
  /** Whether the repository has the blob. */
  hasBlob(digest: Digest): Promise<boolean>;
  /** Makes a blob available that another repository of the same registry has; false when the registry does not do that. */
  mountBlob(digest: Digest, fromPath: string): Promise<boolean>;
  /** Uploads a blob that the repository lacks; a try after a failure asks `source` again from the start. */
  uploadBlob(descriptor: Descriptor, source: Source, options?: TransferOptions): Promise<void>;
  /** Puts a manifest or an index under the tag (or the given reference); `bytes` one character per byte. Returns its digest. */
  putManifest(mediaType: string, bytes: string, reference?: string): Promise<Digest>;
  /** Ends idle connections. */
  close(): void;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** How a layer's blob is packed. */
export type Packing = 'none' | 'gzip' | 'zstd';

export interface LayerDescriptor extends Descriptor {
  readonly packing: Packing;
}

/** The manifest of one image, OCI or Docker schema 2. */
export interface ImageManifest {
  /** Digest of `bytes`. */
  readonly digest: Digest;
  /** What the tag names: digest of the index when the image is one of several, otherwise `digest`. Compare it with `head()`. */
  readonly named: Digest;
  readonly mediaType: string;
  /** One character per byte. */
  readonly bytes: string;
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly LayerDescriptor[];
}

/** Takes bytes in order; a promise holds the transfer back. The chunk may be reused after it has settled. What it throws ends the transfer. */
export type Sink = (chunk: Uint8Array) => void | Promise<void>;

/** Gives the bytes of a blob from the start. */
export type Source = () => AsyncIterable<Uint8Array>;

export interface TransferOptions {
  readonly signal?: AbortSignal;
  /** Called as bytes travel, with the number of those that have (resumed ones included). */
  readonly progress?: (bytes: number) => void;
}

export interface BlobOptions extends TransferOptions {
  /** Bytes that the caller has already; needs `unverified`. */
  readonly offset?: number;
  /** Called as bytes come that the caller has already: not every server knows ranges. */
  readonly again?: () => void;
  /** The caller computes the digest itself. The size is checked nevertheless. */
  readonly unverified?: boolean;
}

export interface RegistryOptions extends AccessOptions {
  /**
   * There is an image that does, too, and a start that waits: a silent registry gets less time, whatever was asked for, the registry itself one
   * more try, and a mirror none.
   */
  readonly hurried?: boolean;
  /** Seconds without a byte after which a connection counts as stalled (default 60, hurried 20). There is no limit on the total time. */
  readonly stall?: number;
  readonly signal?: AbortSignal;
  /** A line for people: a mirror that did not serve. */
  readonly note?: (line: string) => void;
  /** What is being waited for: another try. A state, not news. */
  readonly waiting?: (text: string) => void;
}

/** Manifests and indexes (T34). https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests */
export const MANIFEST_LIMIT = 4 << 20;
