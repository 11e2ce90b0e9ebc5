import type { Host } from '../host/host.ts';
import { ImageError } from '../image/error.ts';
import { EXPORT, flatMap, layerCalls, type FlatMap, type LayerCopy } from '../image/layer-calls.ts';
import { storeMap } from '../image/store-map.ts';
import { storeDirectory } from '../image/store.ts';
import { requireContainer } from '../run/containers.ts';
import { withRoot } from '../run/container-root.ts';
import { changesOf } from './tree-changes.ts';

/**
 * The actions of `berth layer` that move files between containers and the host. Paths are absolute and without `..`.
 *
 *   container-stat container=NAME path=PATH             prints file, directory, other or absent; links are followed inside
 *   container-read container=NAME path=PATH name=NAME   that as a tar stream on standard output
 *   container-export container=NAME                     its own file system as a tar stream, nothing that is mounted in it
 *   container-write container=NAME path=DIR [uid=N gid=N] [overwrite=1]   a tar stream from standard input into a directory
 *   host-read path=PATH name=NAME                       a file or directory of the host as a tar stream
 *   host-write path=DIR [overwrite=1]                   a tar stream into a directory of the host; everything belongs to the caller
 *   read-mapped source=DIR [uid=A:B:N,… gid=A:B:N,… living=1]   a layer as a tar stream, with the store's ids or those of maps
 *   write-mapped target=DIR uid=A:B:N,… gid=A:B:N,…     a tar stream from standard input as a layer, with these maps
 *   tree-diff upper=DIR lower=DIR…                      what a writable layer changes: `A PATH`, `C PATH`, `D PATH`, each with a NUL behind it
 */
export const TRANSFERS: readonly (readonly [string, (host: Host, values: Values) => void])[] = [
  ['container-stat', (host, values) => host.write(1, `${readContainer(host, values, -1)}\n`)],
  ['container-read', (host, values) => void readContainer(host, values, 1)],
  ['container-export', exportContainer],
  ['container-write', writeContainer],
  ['host-read', readHost],
  ['host-write', writeHost],
  ['read-mapped', readMapped],
  ['write-mapped', writeMapped],
  ['tree-diff', diffTree],
];

type Values = readonly (readonly [string, string])[];

const NOBODY: FlatMap = { kind: 'host', uid: [], gid: [] };
const O_PATH_DIRECTORY = 0o10200000;
const ENTRY_LIMIT = 100_000_000;
const BYTE_LIMIT = 2 ** 44;

function readContainer(host: Host, values: Values, target: number): string {
  const container = requireContainer(host, valueOf(values, 'container'));
  return withRoot(host, storeDirectory(host), container, ({ fd, map }) =>
    layerCalls(host).transferOut(
      {
        root: fd,
        path: valueOf(values, 'path'),
        name: values.find(([key]) => key === 'name')?.[1] ?? '',
        target,
        flags: EXPORT.LIVING | EXPORT.LITERAL,
        confined: true,
      },
      map,
    ),
  );
}

function exportContainer(host: Host, values: Values): void {
  const container = requireContainer(host, valueOf(values, 'container'));
  const flags = EXPORT.LIVING | EXPORT.LITERAL | EXPORT.ONE_FILE_SYSTEM;
  withRoot(host, storeDirectory(host), container, ({ fd, map }) =>
    layerCalls(host).transferOut({ root: fd, path: '/', name: '', target: 1, flags, confined: true }, map),
  );
}

function writeContainer(host: Host, values: Values): void {
  const container = requireContainer(host, valueOf(values, 'container'));
  const [uid, gid] = ['uid', 'gid'].map(name => Number(values.find(([key]) => key === name)?.[1] ?? -1));
  withRoot(host, storeDirectory(host), container, ({ fd, map }) => {
    const copy = { uid: uid ?? -1, gid: gid ?? -1, prefix: valueOf(values, 'path'), plain: false };
    apply(host, `/proc/self/fd/${fd}/.`, { ...copy, overwrite: isOn(values, 'overwrite') }, map);
  });
}

function readHost(host: Host, values: Values): void {
  const root = host.open('/', O_PATH_DIRECTORY);
  const flags = EXPORT.LIVING | EXPORT.LITERAL;
  const name = values.find(([key]) => key === 'name')?.[1] ?? '';
  const request = { root, path: valueOf(values, 'path'), name, target: 1, flags, confined: false };
  layerCalls(host).transferOut(request, NOBODY);
  host.close(root);
}

/** An account writes in a user namespace with its own id alone, which is what lets it shut itself into the directory. */
function writeHost(host: Host, values: Values): void {
  const own: FlatMap = { kind: 'single', uid: [[0, host.euid, 1]], gid: [[0, host.gid, 1]] };
  const copy = { uid: 0, gid: 0, prefix: '', plain: true, overwrite: isOn(values, 'overwrite') };
  apply(host, `${valueOf(values, 'path')}/.`, copy, host.euid === 0 ? NOBODY : own);
}

function apply(host: Host, target: string, copy: LayerCopy, map: FlatMap): void {
  const source = {
    source: 0,
    offset: -1,
    length: -1,
    sha512Blob: false,
    sha512Diff: false,
    needsEnd: true,
    recipe: -1,
  };
  const limits = { byteLimit: BYTE_LIMIT, entryLimit: ENTRY_LIMIT };
  const { warnings } = layerCalls(host).applyLayer(target, { ...source, ...limits, copy }, map);
  if (warnings !== '') host.write(2, warnings.replace(/^/gm, 'berth: warning: ').replace(/berth: warning: $/, ''));
}

function readMapped(host: Host, values: Values): void {
  const root = host.open(valueOf(values, 'source'), O_PATH_DIRECTORY);
  const flags = isOn(values, 'living') ? EXPORT.LIVING : 0;
  const request = { root, path: '/', name: '', target: 1, flags, confined: true };
  const mapped = values.some(([key]) => key === 'uid');
  layerCalls(host).transferOut(request, mapped ? mapOf(values) : flatMap(storeMap(host)));
}

function writeMapped(host: Host, values: Values): void {
  const request = {
    source: 0,
    offset: -1,
    length: -1,
    sha512Blob: false,
    sha512Diff: false,
    needsEnd: true,
    recipe: -1,
  };
  const limits = { byteLimit: BYTE_LIMIT, entryLimit: ENTRY_LIMIT };
  layerCalls(host).applyLayer(valueOf(values, 'target'), { ...request, ...limits }, mapOf(values));
}

function mapOf(values: Values): FlatMap {
  const lines = (name: string): [number, number, number][] =>
    valueOf(values, name)
      .split(',')
      .map(line => line.split(':').map(Number))
      .map(([inside = 0, outside = 0, count = 0]) => [inside, outside, count]);
  return { kind: 'subordinate', uid: lines('uid'), gid: lines('gid') };
}

/** In the user namespace of the store, so that directories of mapped ids can be read. */
function diffTree(host: Host, values: Values): void {
  const lower = values.filter(([key]) => key === 'lower').map(([, path]) => path);
  host.write(1, changesOf(host, valueOf(values, 'upper'), lower).join(''));
}

function valueOf(values: Values, name: string): string {
  const value = values.find(([key]) => key === name)?.[1];
  if (value === undefined || value === '') throw new ImageError(`layer: the word ${name}= is missing`);
  return value;
}

const isOn = (values: Values, name: string): boolean => values.some(([key, value]) => key === name && value === '1');
