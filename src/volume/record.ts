import type { Host } from '../host/host.ts';
import { isName } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';

/**
 * A volume: STORE/volumes/NAME with `_data/` and `volume.json`. It is `fresh` while nothing is in it, and no start has found it otherwise: one
 * whose image has nothing in its place leaves it to the next. Fields behind `labels` came later: a record without them is a
 * plain directory.
 */
export interface VolumeRecord {
  readonly version: 1;
  readonly name: string;
  readonly anonymous: boolean;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly filled: boolean;
  /** A first payload has got it, and nothing of the image. */
  readonly owned?: true;
  readonly labels: Readonly<Record<string, string>>;
  readonly driver?: 'local' | 'image';
  /** Id of the image that a volume of the driver image began with: what was written lies over that one, whatever its name means later. */
  readonly image?: string;
  /** As given to `volume create --opt`. */
  readonly options?: Readonly<Record<string, string>>;
  /** Owner as seen inside. */
  readonly uid?: number;
  readonly gid?: number;
}

/** No payload has had it. */
export function isNew({ filled, owned }: VolumeRecord): boolean {
  return !filled && owned !== true;
}

export function volumePath(store: string, name: string): string {
  return `${store}/volumes/${name}`;
}

export function dataPath(store: string, name: string): string {
  return `${volumePath(store, name)}/_data`;
}

/** undefined when there is none, or its record cannot be read. */
export function readVolume(host: Host, store: string, name: string): VolumeRecord | undefined {
  const text = host.readFileIfExists(`${volumePath(store, name)}/volume.json`);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as VolumeRecord;
  } catch {
    return undefined;
  }
}

/** By name. */
export function listVolumes(host: Host, store: string): VolumeRecord[] {
  const directory = `${store}/volumes`;
  if (host.stat(directory) === undefined) return [];
  const found: VolumeRecord[] = [];
  for (const { name } of host.list(directory)) {
    const record = isName(name) ? readVolume(host, store, name) : undefined;
    if (record !== undefined) found.push(record);
  }
  return found;
}

/** By its full name, or by a beginning that only one has. A Failure (1) when there is none. */
export function requireVolume(host: Host, store: string, word: string): VolumeRecord {
  const exact = isName(word) ? readVolume(host, store, word) : undefined;
  if (exact !== undefined) return exact;
  const matches = word === '' ? [] : listVolumes(host, store).filter(record => record.name.startsWith(word));
  if (matches.length > 1) throw new Failure(125, `${word}: more than one volume's name begins so`);
  const [only] = matches;
  if (only === undefined) throw new Failure(1, `${word}: no such volume`);
  return only;
}

/** An anonymous volume ends with its container: it need not outlive a power cut, and a start need not wait for the disk. */
export function writeRecord(host: Host, directory: string, record: VolumeRecord): void {
  const text = JSON.stringify(record);
  const path = `${directory}/volume.json`;
  if (!record.anonymous) return host.writeFileAtomic(path, text, 0o600);
  host.writeFile(`${path}.new`, text, 0o600);
  host.rename(`${path}.new`, path);
}
