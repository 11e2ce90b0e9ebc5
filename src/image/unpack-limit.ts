import { ImageError } from './error.ts';

/** What layers may unpack to (T34): one by itself, and those of an image together. */
export interface UnpackLimit {
  /** Bytes for all together: also for an archive that is compressed as a whole. */
  readonly most: number;
  /** For the next layer, whose blob has so many bytes: words of `berth layer apply`. */
  words(blobBytes: number): string[];
  /** A layer has unpacked to this. Throws ImageError when it was too much. */
  count(layer: { readonly size: number; readonly entries: number }): void;
}

/** Beyond LEAST a blob may unpack to so many times its size. An ordinary one does to three or four times; empty disks to more. */
const LEAST = 2 ** 30;
export const RATIO = 200;
const MOST_OF_LAYER = 64 * 2 ** 30;
const MOST_OF_IMAGE = 256 * 2 ** 30;
/** Also an empty file costs the disk something. No real layer has so many. */
export const ENTRIES_OF_LAYER = 2_000_000;
const ENTRIES_OF_IMAGE = 4_000_000;

/** `blobBytes`: of all layers. Those that are unpacked beside each other count when they are whole. */
export function unpackLimit(blobBytes: number): UnpackLimit {
  const most = Math.min(MOST_OF_IMAGE, LEAST + blobBytes * RATIO);
  let [bytes, entries] = [most, ENTRIES_OF_IMAGE];
  return {
    most,
    words: blob => [
      `bytes=${Math.min(MOST_OF_LAYER, LEAST + blob * RATIO, bytes)}`,
      `entries=${Math.min(ENTRIES_OF_LAYER, entries)}`,
    ],
    count(layer) {
      bytes -= layer.size;
      entries -= layer.entries;
      if (bytes < 0) throw new ImageError(`the image's layers unpack to more than the limit of ${most} bytes`);
      if (entries < 0)
        throw new ImageError(`the image's layers have more than the limit of ${ENTRIES_OF_IMAGE} entries`);
    },
  };
}
