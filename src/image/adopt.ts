import type { Host } from '../host/host.ts';
import { documentsOf, findBlob, findLayer, isWhole } from './additional.ts';
import { digestAlgorithm, digestHex, digestName, isHex, parseDigest } from './digest.ts';
import { ImageError } from './error.ts';
import { layerDirectory, readLayer, writeImage } from './images.ts';
import { flatMap, layerCalls } from './layer-calls.ts';
import { namePath, writeName } from './names.ts';
import { whileKept } from './lock.ts';
import { findImage, type FoundImage } from './resolve.ts';
import { storeMap } from './store-map.ts';
import { openStore } from './store.ts';
import type { Digest, ImageRecord } from './types.ts';

/**
 * The account's half of a hand-over from root's store (`berth account prepare --image`). Root only sends; all that is made in the
 * account's directories is made by the account.
 */

/** What is handed over besides the layers. */
export interface Handover {
  readonly record: ImageRecord;
  /** Byte for byte: those that the record names, as far as root has them. */
  readonly documents: readonly (readonly [digest: string, bytes: string])[];
  readonly name: string;
}

/**
 * The layers that this store lacks of the image which root has under this name. `undefined`: nothing is to be handed over, because the
 * account has all of it, or because the name means an image that the account got itself; one that came from root follows root's.
 */
export function missingLayers(host: Host, name: string, id: string, layers: readonly Digest[]): Digest[] | undefined {
  const store = openStore(host);
  const own = findImage(host, store, name)?.record;
  if (own !== undefined && (own.id !== handedOver(host, store, name) || (own.id === id && isWhole(host, store, own))))
    return undefined;
  return layers.filter(layer => findLayer(host, store, layer) === undefined);
}

/** handed/ESCAPED: the image id that root handed over under this name. */
function handedPath(store: string, name: string): string {
  return namePath(store, name).replace(`${store}/names/`, `${store}/handed/`);
}

function handedOver(host: Host, store: string, name: string): string | undefined {
  return host.readFileIfExists(handedPath(store, name), 4096)?.trimEnd();
}

/** Moves a layer that was unpacked in `from` to its place. */
export function adoptLayer(host: Host, store: string, from: string, diffId: Digest): void {
  layerCalls(host).syncFileSystem(store);
  const to = layerDirectory(store, diffId);
  if (readLayer(host, store, diffId) === undefined) {
    if (host.lstat(to) !== undefined) host.rename(to, `${from}.old`);
    host.rename(from, to);
    host.sync(`${store}/layers`);
  }
  layerCalls(host).removeLayers([from, `${from}.old`], flatMap(storeMap(host)));
}

/** Writes the documents of an image whose layers are all there. */
export function adoptImage(host: Host, text: string): void {
  const store = openStore(host);
  const { record, documents, name } = JSON.parse(text) as Handover;
  if (record.version !== 1 || record.id.length !== 64 || !isHex(record.id))
    throw new ImageError(`${name}: a record of another version`);
  const refuseMissing = (): void => {
    for (const layer of record.layers) {
      const digest = parseDigest(layer);
      if (digest === undefined || findLayer(host, store, digest) === undefined)
        throw new ImageError(`${name}: layer ${layer} is missing`);
    }
  };
  refuseMissing();
  whileKept(host, store, record.id, () => {
    for (const [named, bytes] of documents) {
      const digest = parseDigest(named);
      if (digest === undefined) throw new ImageError(`${name}: ${named} is no digest`);
      writeBlob(host, store, digest, bytes);
    }
    writeImage(host, store, record);
    // Before the record was there, garbage collection may have taken one.
    refuseMissing();
    host.mkdirs(`${store}/handed`, 0o700);
    host.writeFileAtomic(handedPath(store, name), `${record.id}\n`, 0o600);
    writeName(host, store, name, record.id);
  });
}

/** The documents of an image of an additional store: names for it can be given here, its layers stay where they are. */
export function copyDocuments(host: Host, store: string, { record }: FoundImage): void {
  for (const digest of documentsOf(record)) {
    const bytes = findBlob(host, store, digest);
    if (bytes === undefined) throw new ImageError(`${record.id.slice(0, 12)}: its documents are missing`);
    writeBlob(host, store, digest, bytes);
  }
  writeImage(host, store, record);
}

function writeBlob(host: Host, store: string, digest: Digest, bytes: string): void {
  host.writeFileAtomic(`${store}/blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`, bytes, 0o600);
}

/** Where a layer is unpacked before it is adopted. */
export function adoptionPlace(host: Host, diffId: Digest): { store: string; target: string } {
  const store = openStore(host);
  return { store, target: `${store}/tmp/${host.pid}.${host.startTime(host.pid) ?? '0'}.${digestName(diffId)}` };
}
