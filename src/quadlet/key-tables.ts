import type { UnitType } from '../unit/names.ts';
import { CONTAINER_KEYS } from './keys-container.ts';
import { ARTIFACT_KEYS, BUILD_KEYS, IMAGE_KEYS } from './keys-images.ts';
import { KUBE_KEYS, NETWORK_KEYS, POD_KEYS, VOLUME_KEYS } from './keys-units.ts';
import type { KeyTable } from './keys.ts';

/** The tables of all unit types, in the order of the manual. */
export const KEYS: Readonly<Record<UnitType, KeyTable>> = {
  container: CONTAINER_KEYS,
  pod: POD_KEYS,
  volume: VOLUME_KEYS,
  network: NETWORK_KEYS,
  kube: KUBE_KEYS,
  image: IMAGE_KEYS,
  build: BUILD_KEYS,
  artifact: ARTIFACT_KEYS,
};
