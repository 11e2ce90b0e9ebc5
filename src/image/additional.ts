import { HostError, type Host } from '../host/host.ts';
import { digestAlgorithm, digestHex, parseDigest } from './digest.ts';
import { layerDirectory, readLayer } from './images.ts';
import { homeOf } from './store.ts';
import { STORE_VERSION, type Digest, type ImageRecord, type LayerRecord } from './types.ts';

/**
 * Stores that are only read: `additionalimagestores` in [storage.options] of storage.conf (containers-storage.conf(5)), in its order.
 * One counts when it has Berth's layout, a format that we know, and belongs to this account: the owners of another account's layers
 * would be nobody's in our user namespace. Nothing is read unless the own store lacks something.
 */
export function additionalStores(host: Host): string[] {
  return listedStores(host).flatMap(store => (store.fault === undefined ? [store.path] : []));
}

export interface ListedStore {
  readonly path: string;
  /** Why it is not read. */
  readonly fault?: string;
}

/** What storage.conf lists, with what is wrong with it. */
export function listedStores(host: Host): ListedStore[] {
  const conf = storageConf(host);
  return conf === undefined
    ? []
    : additionalPaths(conf).map(path => {
        const fault = faultOf(host, path);
        return fault === undefined ? { path } : { path, fault };
      });
}

function faultOf(host: Host, path: string): string | undefined {
  if (!path.startsWith('/')) return 'not an absolute path';
  try {
    const stat = host.stat(path);
    if (stat?.kind !== 'directory') return 'no such directory';
    const version = /^\{"version":(\d+)\}/.exec(host.readFileIfExists(`${path}/version`, 4096) ?? '')?.[1];
    if (version === undefined)
      return host.lstat(`${path}/overlay-images`) === undefined
        ? 'not a store of Berth'
        : "a store of Podman; 'berth system migrate --from podman' brings images over";
    if (Number(version) > STORE_VERSION)
      return `its format is ${version}, this version of Berth knows ${STORE_VERSION}`;
    return stat.uid === host.euid ? undefined : `it belongs to uid ${stat.uid}, its files would have other owners here`;
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
}

/** A layer that is whole, here or in an additional store. */
export interface FoundLayer {
  readonly directory: string;
  readonly record: LayerRecord;
}

/** Where a layer is. The own store comes first: the others may vanish. */
export function findLayer(host: Host, store: string, diffId: Digest): FoundLayer | undefined {
  const own = readLayer(host, store, diffId);
  if (own !== undefined) return { directory: layerDirectory(store, diffId), record: own };
  for (const other of additionalStores(host)) {
    const record = readLayer(host, other, diffId);
    if (record !== undefined) return { directory: layerDirectory(other, diffId), record };
  }
  return undefined;
}

/** A configuration or manifest, byte for byte, here or in an additional store. */
export function findBlob(host: Host, store: string, digest: Digest): string | undefined {
  const name = `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
  const own = host.readFileIfExists(`${store}/${name}`);
  if (own !== undefined) return own;
  for (const other of additionalStores(host)) {
    const bytes = host.readFileIfExists(`${other}/${name}`);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

/** Whether all of an image is there: its documents, and its layers as wholes. What is in them `berth system check` looks at. */
export function isWhole(host: Host, store: string, image: ImageRecord): boolean {
  return (
    documentsOf(image).every(digest => (findBlob(host, store, digest) ?? '') !== '') &&
    image.layers.every(layer => findLayer(host, store, layer) !== undefined)
  );
}

/** What a record names besides the layers. */
export function documentsOf({ id, manifest }: ImageRecord): Digest[] {
  return [configurationDigest(id), ...(manifest === undefined ? [] : [manifest])];
}

/** The digest that an image id is. */
export function configurationDigest(id: string): Digest {
  const digest = parseDigest(`sha256:${id}`);
  if (digest === undefined) throw new Error('an id of another form');
  return digest;
}

/** The first that there is: CONTAINERS_STORAGE_CONF, the account's own, the system's. */
function storageConf(host: Host): string | undefined {
  const named = host.environment('CONTAINERS_STORAGE_CONF') ?? '';
  const paths = named !== '' ? [named] : ['/etc/containers/storage.conf', '/usr/share/containers/storage.conf'];
  if (named === '' && host.euid !== 0) {
    const home = homeOf(host);
    const config = host.environment('XDG_CONFIG_HOME') ?? '';
    paths.unshift(`${config.startsWith('/') ? config : `${home}/.config`}/containers/storage.conf`);
  }
  for (const path of paths) {
    try {
      const text = host.readFileIfExists(path, 1 << 20);
      if (text !== undefined) return text;
    } catch (error) {
      // Hidden by a sandbox.
      if (!(error instanceof HostError)) throw error;
    }
  }
  return undefined;
}

/**
 * The one key of this file that counts here, cut out of it: a start that lacks its image must not need a whole reader of TOML. An array of
 * strings, over several lines and with comments as people write it.
 */
export function additionalPaths(text: string): string[] {
  const section = /^[ \t]*\[[ \t]*storage[ \t]*\.[ \t]*options[ \t]*\][ \t]*(?:#.*)?$/m.exec(text);
  if (section === null) return [];
  const rest = text.slice(section.index + section[0].length);
  const body = rest.slice(0, /^[ \t]*\[[ \t]*[A-Za-z"[]/m.exec(rest)?.index ?? rest.length);
  const key = /^[ \t]*"?additionalimagestores"?[ \t]*=[ \t]*\[/m.exec(body);
  if (key === null) return [];
  const found: string[] = [];
  const token = /#[^\n]*|"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|\]/g;
  token.lastIndex = key.index + key[0].length;
  for (let match = token.exec(body); match !== null && match[0] !== ']'; match = token.exec(body)) {
    const path = match[2] ?? match[1]?.replace(/\\(["\\])/g, '$1');
    if (path !== undefined && path !== '') found.push(path);
  }
  return found;
}
