import { ImageError } from './error.ts';

/** What layers may unpack to (T34): one by itself, and those of an image together. */
export interface UnpackLimit {
  /** For all together: also for an archive that is compressed as a whole. */
  readonly most: number;
  /** For the next layer, whose blob has so many bytes. */
  of(blobBytes: number): number;
  /** A layer has unpacked to this. Throws ImageError when it was too much. */
  count(bytes: number): void;
}

/** Beyond LEAST a blob may unpack to so many times its size. An ordinary one does to three or four times; empty disks to more. */
const LEAST = 2 ** 30;
export const RATIO = 200;
const MOST_OF_LAYER = 64 * 2 ** 30;
const MOST_OF_IMAGE = 256 * 2 ** 30;

/** `blobBytes`: of all layers. Those that are unpacked beside each other count when they are whole. */
export function unpackLimit(blobBytes: number): UnpackLimit {
  const most = Math.min(MOST_OF_IMAGE, LEAST + blobBytes * RATIO);
  let left = most;
  return {
    most,
    of: bytes => Math.min(MOST_OF_LAYER, LEAST + bytes * RATIO, left),
    count(bytes) {
      left -= bytes;
      if (left < 0) throw new ImageError(`the image's layers unpack to more than the limit of ${most} bytes`);
    },
  };
}
