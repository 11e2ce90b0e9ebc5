import { parseJson } from '../../base/json.ts';
import { parseToml } from '../../base/toml.ts';
import type { Host } from '../../host/host.ts';
import { homeOf, passwdEntry } from '../store.ts';
import { ImageError } from '../error.ts';

/** Podman's store (containers-storage), of which nothing but these files is read: containers-storage.conf(5). */
export interface PodmanStore {
  readonly root: string;
  /** `overlay` or `vfs`. */
  readonly driver: string;
}

export interface PodmanImage {
  readonly id: string;
  readonly names: readonly string[];
  /** Its topmost layer; empty: an image without layers. */
  readonly layer: string;
}

export interface PodmanLayer {
  readonly id: string;
  readonly parent: string;
}

const DRIVERS = ['overlay', 'vfs'];

/** The account's store, or the one at `chosen`. Throws ImageError when there is none that can be read. */
export function openPodmanStore(host: Host, chosen: string | undefined): PodmanStore {
  const root = chosen ?? graphRoot(host);
  const driver = DRIVERS.find(name => host.lstat(`${root}/${name}-images/images.json`) !== undefined);
  if (driver !== undefined) return { root, driver };
  if (host.lstat(`${root}/volumes`) !== undefined) return { root, driver: 'overlay' };
  const hint = chosen === undefined ? '; name it by --store DIR' : '';
  throw new ImageError(`${root}: no store of Podman with the driver ${DRIVERS.join(' or ')}${hint}`);
}

/** `graphroot`, for an account `rootless_storage_path` or its data directory. */
function graphRoot(host: Host): string {
  const home = homeOf(host);
  const config = host.environment('XDG_CONFIG_HOME') ?? `${home}/.config`;
  const system = ['/etc/containers/storage.conf', '/usr/share/containers/storage.conf'];
  if (host.euid === 0) return settingOf(host, system, 'graphroot') ?? '/var/lib/containers/storage';
  const own = settingOf(host, [`${config}/containers/storage.conf`], 'graphroot');
  const rootless = settingOf(host, [`${config}/containers/storage.conf`, ...system], 'rootless_storage_path');
  const expanded = (own ?? rootless)
    ?.replaceAll('$HOME', home)
    .replaceAll('$UID', String(host.euid))
    .replaceAll('$USER', passwdEntry(host, 'uid', String(host.euid))?.name ?? '');
  return expanded ?? `${host.environment('XDG_DATA_HOME') ?? `${home}/.local/share`}/containers/storage`;
}

/** Of the first of these files that there is. */
function settingOf(host: Host, paths: readonly string[], key: string): string | undefined {
  for (const path of paths) {
    const text = host.readFileIfExists(path, 1 << 20);
    if (text === undefined) continue;
    const parsed = parseToml(text, path);
    if (parsed.isErr()) throw new ImageError(`${path}: ${parsed.error[0]?.message ?? 'not TOML'}`);
    const value = (parsed.value['storage'] as Record<string, unknown> | undefined)?.[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  }
  return undefined;
}

export function podmanImages(host: Host, store: PodmanStore): PodmanImage[] {
  return documents(host, `${store.root}/${store.driver}-images/images.json`).map(one => ({
    id: textOf(one['id']),
    layer: textOf(one['layer']),
    names: Array.isArray(one['names']) ? one['names'].map(textOf).filter(name => name !== '') : [],
  }));
}

export function podmanLayers(host: Host, store: PodmanStore): Map<string, PodmanLayer> {
  const rows = documents(host, `${store.root}/${store.driver}-layers/layers.json`);
  return new Map(rows.map(one => [textOf(one['id']), { id: textOf(one['id']), parent: textOf(one['parent']) }]));
}

/** A document of an image; its file is named by the key, in base64 when it has other characters than `a` to `z`, digits and dots. */
export function bigData(host: Host, store: PodmanStore, image: PodmanImage, key: string): string | undefined {
  const file = /^[a-z0-9.]+$/.test(key) ? key : `=${Buffer.from(key, 'latin1').toString('base64')}`;
  return host.readFileIfExists(`${store.root}/${store.driver}-images/${image.id}/${file}`);
}

/** Where the files of a layer lie. */
export function layerTree(store: PodmanStore, id: string): string {
  return store.driver === 'vfs' ? `${store.root}/vfs/dir/${id}` : `${store.root}/overlay/${id}/diff`;
}

export function tarSplitPath(store: PodmanStore, id: string): string {
  return `${store.root}/${store.driver}-layers/${id}.tar-split.gz`;
}

function documents(host: Host, path: string): Record<string, unknown>[] {
  const text = host.readFileIfExists(path);
  if (text === undefined || text.trim() === '') return [];
  try {
    const value = parseJson(text);
    if (Array.isArray(value))
      return (value as (Record<string, unknown> | null)[])
        .filter(one => one !== null)
        .filter(one => isPlainId(one['id']));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ImageError(`${path}: not what Podman writes there`);
}

/** It becomes a part of paths. */
function isPlainId(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
