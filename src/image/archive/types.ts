import type { ImageFacts } from '../config.ts';
import type { Digest } from '../types.ts';

/** Bytes of a blob inside an open file. */
export interface BlobPlace {
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
}

/** The members of an archive or a layout directory, by name. */
export interface Members {
  /** For messages. */
  readonly name: string;
  readonly kind: 'archive' | 'directory';
  has(member: string): boolean;
  /** The whole member as bytes; throws ImageError when it is missing or larger than `limit`. */
  read(member: string, limit: number): string;
  /** Where its bytes are; open until `close`. */
  place(member: string): BlobPlace;
  close(): void;
}

/** An image as an archive describes it: nothing of it has been believed yet but what its digests prove. */
export interface ArchiveImage {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** The configuration, byte for byte. */
  readonly configuration: string;
  readonly facts: ImageFacts;
  readonly manifest?: { readonly digest: Digest; readonly bytes: string };
  /** One for each diff id of `facts`, in its order. */
  readonly layers: readonly { readonly place: BlobPlace; readonly blob?: Digest }[];
  /** Full references. */
  readonly names: readonly string[];
}

/** Manifests, indexes and configurations (T34). */
export const DOCUMENT_LIMIT = 8 << 20;
