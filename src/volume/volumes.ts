import type { Host } from '../host/host.ts';
import type { ImageRecord } from '../image/types.ts';
import type { RunRequest } from '../plan/request.ts';
import { isName } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import type { IdMap } from '../run/ids.ts';
import { removeStored, temporaryPath } from '../run/layer.ts';
import type { VolumeChoice } from '../run/parts.ts';
import type { Undo } from '../run/undo.ts';

/**
 * Named and anonymous volumes: STORE/volumes/NAME with `_data/` and `volume.json`. A volume is `fresh` until one start has
 * filled it from the image; that is noted after the copy, so that a start that was cut off fills it again.
 */
export interface VolumeRecord {
  readonly version: 1;
  readonly name: string;
  readonly anonymous: boolean;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly filled: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** Decides on the volumes of a request: those it names, those it leaves unnamed, and those the image declares and nothing covers. */
export function chooseVolumes(host: Host, store: string, request: RunRequest, image?: ImageRecord): VolumeChoice {
  const volumes: Record<string, { path: string; fresh: boolean }> = {};
  const anonymous: string[] = [];
  const missing: string[] = [];
  const fresh: string[] = [];
  const take = (key: string, name: string): void => {
    if (volumes[key] !== undefined) return;
    const record = readVolume(host, store, name);
    if (record === undefined) missing.push(name);
    if (record?.filled !== true) fresh.push(name);
    volumes[key] = { path: `${volumePath(store, name)}/_data`, fresh: record?.filled !== true };
  };
  const takeAnonymous = (target: string): void => {
    const name = host.random(32);
    anonymous.push(name);
    take(`anonymous:${target}`, name);
  };
  const covered = new Set(request.mounts.map(mount => trimmed(mount.target)));
  for (const mount of request.mounts) {
    if (mount.kind !== 'volume') continue;
    if (mount.source === '') takeAnonymous(mount.target);
    else if (!isName(mount.source)) throw new Failure(125, `${mount.source}: not a volume name`);
    else take(`volume:${mount.source}`, mount.source);
  }
  const declared = request.imageVolumes === 'anonymous' ? (image?.config.volumes ?? []) : [];
  for (const target of declared) {
    if (!covered.has(trimmed(target))) takeAnonymous(target);
  }
  return { volumes, anonymous, missing, fresh };
}

/** Makes the volumes that are missing; `undo` takes them back. */
export function createVolumes(host: Host, store: string, choice: VolumeChoice, undo: Undo): void {
  for (const name of choice.missing) {
    const path = volumePath(store, name);
    const temporary = temporaryPath(host, store);
    host.mkdirs(`${store}/volumes`, 0o700);
    host.mkdir(temporary, 0o700);
    host.mkdir(`${temporary}/_data`, 0o755);
    const record: VolumeRecord = {
      version: 1,
      name,
      anonymous: choice.anonymous.includes(name),
      created: Math.floor(host.now()),
      filled: false,
      labels: {},
    };
    // An anonymous volume ends with its container: it need not outlive a power cut, and a start need not wait for the disk.
    if (record.anonymous) host.writeFile(`${temporary}/volume.json`, JSON.stringify(record), 0o600);
    else host.writeFileAtomic(`${temporary}/volume.json`, JSON.stringify(record), 0o600);
    host.rename(temporary, path);
    undo.add(path, () => host.removeTree(path));
  }
}

/** Notes that the fresh volumes hold what the image had for them. */
export function markFilled(host: Host, store: string, choice: VolumeChoice): void {
  for (const name of choice.fresh) {
    const record = readVolume(host, store, name);
    if (record === undefined) continue;
    const text = JSON.stringify({ ...record, filled: true });
    if (record.anonymous) host.writeFile(`${volumePath(store, name)}/volume.json`, text, 0o600);
    else host.writeFileAtomic(`${volumePath(store, name)}/volume.json`, text, 0o600);
  }
}

/** Removes anonymous volumes; a name that is none (any more) is passed over. The lines say what could not be removed. */
export function removeVolumes(
  host: Host,
  store: string,
  names: readonly string[],
  uidMap: IdMap,
  gidMap: IdMap,
): string[] {
  const lines: string[] = [];
  for (const name of names) {
    if (!isName(name) || readVolume(host, store, name)?.anonymous !== true) continue;
    try {
      removeStored(host, store, volumePath(store, name), uidMap, gidMap);
    } catch (error) {
      lines.push(error instanceof Error ? error.message : String(error));
    }
  }
  return lines;
}

export function readVolume(host: Host, store: string, name: string): VolumeRecord | undefined {
  const text = host.readFileIfExists(`${volumePath(store, name)}/volume.json`);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as VolumeRecord;
  } catch {
    return undefined;
  }
}

function volumePath(store: string, name: string): string {
  return `${store}/volumes/${name}`;
}

function trimmed(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
