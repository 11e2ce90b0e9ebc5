import type { Host } from '../host/host.ts';
import { findImage } from '../image/resolve.ts';
import { storeMap } from '../image/store-map.ts';
import { Failure } from '../run/failure.ts';
import type { IdMap } from '../run/ids.ts';
import { playMapped } from '../run/mapped.ts';
import { backingOf } from './options.ts';
import { dataPath, volumePath, type VolumeRecord } from './record.ts';
import { makeVolume } from './volumes.ts';

/** Makes a volume as `volume create` wants it, with its owner; under the volume's lock. */
export function createVolume(host: Host, store: string, record: VolumeRecord): void {
  const backing = backingOf(record);
  const image = backing.kind === 'image' ? findImage(host, store, backing.image)?.record.id : undefined;
  if (backing.kind === 'image' && image === undefined) {
    throw new Failure(125, `${backing.image}: no such image in ${store}; 'berth pull' or 'berth load' it first`);
  }
  const { uid, gid } = record;
  makeVolume(host, store, image === undefined ? record : { ...record, image });
  if (uid === undefined && gid === undefined) return;
  try {
    giveTo(host, dataPath(store, record.name), uid ?? 0, gid ?? 0);
  } catch (error) {
    host.removeTree(volumePath(store, record.name));
    throw error;
  }
}

/** The account's default map, through which its images are unpacked and its containers run. */
export function accountMaps(host: Host): { uidMap: IdMap; gidMap: IdMap } {
  const { uid, gid } = storeMap(host);
  const flat = (lines: typeof uid): IdMap => lines.map(line => [line.inside, line.outside, line.count] as const);
  return { uidMap: flat(uid), gidMap: flat(gid) };
}

function giveTo(host: Host, path: string, uid: number, gid: number): void {
  if (host.euid === 0) return host.chown(path, uid, gid);
  const { uidMap, gidMap } = accountMaps(host);
  const status = playMapped(host, [{ name: 'chown-tree', fields: [path, String(uid), String(gid)] }], uidMap, gidMap);
  if (status !== 0)
    throw new Failure(125, `volume: ${uid}:${gid} are not ids of this account; see /etc/subuid and /etc/subgid`);
}
