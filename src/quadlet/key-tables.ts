import type { UnitType } from '../unit/names.ts';
import { containerKeys } from './keys-container.ts';
import { artifactKeys, buildKeys, imageKeys } from './keys-images.ts';
import { kubeKeys, networkKeys, podKeys, volumeKeys } from './keys-units.ts';
import type { KeyTable } from './keys.ts';

const TABLES: Readonly<Record<UnitType, () => KeyTable>> = {
  container: containerKeys,
  pod: podKeys,
  volume: volumeKeys,
  network: networkKeys,
  kube: kubeKeys,
  image: imageKeys,
  build: buildKeys,
  artifact: artifactKeys,
};

/** The keys of a unit type's section. */
export function keysOf(type: UnitType): KeyTable {
  return TABLES[type]();
}
