import type { Host } from '../host/host.ts';
import { readImage } from '../image/images.ts';
import { storeDirectory } from '../image/store.ts';
import type { ContainerState } from '../run/state.ts';
import { diskBytes } from './disk-bytes.ts';

export interface Sizes {
  /** Bytes on disk of what the container wrote. */
  readonly own: number;
  /** These and those of its image. */
  readonly whole: number;
}

export function containerSizes(host: Host, state: ContainerState): Sizes {
  const own = state.layer === '' ? 0 : diskBytes(host, [`${state.layer}/upper`]);
  const image = state.imageId === '' ? undefined : readImage(host, storeDirectory(host), state.imageId);
  return { own, whole: own + (image?.size ?? 0) };
}
