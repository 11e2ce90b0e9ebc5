import type { Bytes, Host } from '../host/host.ts';
import type { StoreMap } from './types.ts';

/** The calls of native/layer-binding.c; only the native program has them. Failures are HostError. */
export interface LayerCalls {
  /** Unpacks a layer into an empty directory, see native/layer.h. */
  applyLayer(target: Bytes, source: LayerSource, map: FlatMap): LayerAnswer;
  /** Makes a user namespace with this map, writes on standard output whose it is, and keeps it until standard input ends. */
  holdUserns(map: FlatMap): void;
  /** Removes trees of mapped ids. Absent ones are no error. */
  removeLayers(paths: readonly Bytes[], map: FlatMap): void;
  /** Writes the layer in this directory as a tar stream; `flags` of EXPORT. */
  exportLayer(directory: Bytes, fd: number, flags: number): void;
  /** What stands at a path of a container or of the host; and, with a target, that as a tar stream (native/transfer.c). */
  transferOut(request: TransferRequest, map: FlatMap): 'file' | 'directory' | 'other' | 'absent';
  /** Puts the tar stream together again and gives its digest; it goes to `target`, or nowhere (-1). */
  assembleLayer(root: Bytes, recipe: number, target: number, sha512: boolean, map: FlatMap): string;
  /** Decompresses a stream (gzip, zstd; others pass as they are). */
  /** `ratioLimit`: of what has come; 0: none. */
  plain(source: number, target: number, byteLimit: number, ratioLimit: number): void;
  /** syncfs(2) */
  syncFileSystem(path: Bytes): void;
  /** flock(2), exclusive, on a descriptor that who started us has, too: the lock stays theirs. False: another holds it. */
  lockDescriptor(fd: number, wait: boolean): boolean;
  /** The kernel ends this process when its parent ends. */
  dieWithParent(): void;
}

/** enum export_flags of native/layer.h. */
export const EXPORT = { LIVING: 1, LITERAL: 2, ONE_FILE_SYSTEM: 4 } as const;

export interface TransferRequest {
  /** Descriptor of the root in which the path is resolved. */
  readonly root: number;
  /** Without `..`. */
  readonly path: Bytes;
  /** Of the archive's first entry; empty: the content of the directory. */
  readonly name: Bytes;
  /** Descriptor of the tar stream; -1: none is wanted. */
  readonly target: number;
  readonly flags: number;
  /** The root is a container's: the reader is shut in there, with the ids of the map. */
  readonly confined: boolean;
}

/** An archive that is no layer but files for somebody. */
export interface LayerCopy {
  /** Directory below the target that the names are in. */
  readonly prefix: Bytes;
  /** Owner of everything; -1: as the archive says. */
  readonly uid: number;
  readonly gid: number;
  /** A directory may take a file's place, and the other way round. */
  readonly overwrite: boolean;
  /** No devices, no set-id bits, no capabilities. */
  readonly plain: boolean;
}

export interface LayerSource {
  readonly source: number;
  /** Where the blob begins in a regular file; -1: read on from where the descriptor is. */
  readonly offset: number;
  /** Bytes; -1: to the end. */
  readonly length: number;
  readonly sha512Blob: boolean;
  readonly sha512Diff: boolean;
  /** Without a digest to compare, the archive's end mark tells that it is whole. */
  readonly needsEnd: boolean;
  readonly byteLimit: number;
  readonly entryLimit: number;
  /** A file for the recipe (native/layer-recipe.h); -1: none is wanted. */
  readonly recipe: number;
  /** Descriptor of a user namespace that has the map already. */
  readonly userns?: number;
  readonly copy?: LayerCopy;
}

export interface LayerAnswer {
  readonly blob: string;
  readonly diffId: string;
  readonly blobSize: number;
  readonly size: number;
  readonly entries: number;
  /** A member took another's place: the recipe does not hold. */
  readonly replaced: boolean;
  /** Lines. */
  readonly warnings: Bytes;
}

export interface FlatMap {
  readonly kind: StoreMap['kind'];
  readonly uid: readonly (readonly [number, number, number])[];
  readonly gid: readonly (readonly [number, number, number])[];
}

/** The host with these calls. */
export function layerCalls(host: Host): LayerCalls {
  return host as Host & LayerCalls;
}

export function flatMap(map: StoreMap): FlatMap {
  const flat = (lines: StoreMap['uid']): [number, number, number][] =>
    lines.map(line => [line.inside, line.outside, line.count]);
  return { kind: map.kind, uid: flat(map.uid), gid: flat(map.gid) };
}
