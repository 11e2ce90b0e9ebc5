/**
 * What the store holds. No database: every fact is a file, and a file exists only after fsync and rename.
 *
 * ```
 * STORE/                    0700
 *   version                 {"version":1}; a newer number is refused politely
 *   blobs/sha256/HEX        configuration and manifest blobs (JSON), byte for byte
 *   layers/sha256-HEX/      one unpacked layer, named by its diff id: fs/ (the tree, owned through the store's id map),
 *                           layer.json (LayerRecord) and recipe (native/layer-recipe.h: how its tar stream is put together again)
 *   images/HEX.json         ImageRecord, named by the image id (digest of the configuration)
 *   names/ESCAPED           one line: the image id; file name = reference with `%` and `/` as %25 and %2F
 *   pulled/ESCAPED          PulledRecord: what a registry said under this name, and the image that had the name before
 *   handed/ESCAPED          one line: the id of the image that root handed over under this name (account prepare --image)
 *   volumes/NAME/           volume.json and _data/
 *   containers/NAME/        upper/ work/ of a container's writable layer, container.json
 *   partial/DIGEST.HEX      what has come of a layer whose pull was cut off; emptied at leisure
 *   tmp/                    work in progress and what could not be removed; emptied at leisure
 *   locks/                  flock files, per image, layer and name; never global
 * ```
 */

/** `sha256:` + 64 or `sha512:` + 128 lower-case hexadecimal digits; only `image/digest.ts` makes one (T19). */
export type Digest = string & { readonly __digest: unique symbol };

export const STORE_VERSION = 1;

/** images/HEX.json: all that a start needs, in one read. */
export interface ImageRecord {
  readonly version: 1;
  /** 64 hexadecimal digits: the digest of the configuration blob. */
  readonly id: string;
  readonly architecture: string;
  readonly os: string;
  /** Absent: the image does not say it. */
  readonly variant?: string;
  /** RFC 3339, or empty. */
  readonly created: string;
  /** Diff ids, lowest layer first. */
  readonly layers: readonly Digest[];
  /** Bytes of the unpacked layers together. */
  readonly size: number;
  /** Digest of the manifest when it is known. */
  readonly manifest?: Digest;
  readonly config: ImageConfig;
}

/**
 * The only fields of an image's configuration that count (T14: the image says what runs, never how it is confined).
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties
 */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly environment: readonly string[];
  readonly user: string;
  readonly workingDirectory: string;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly stopSignal: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly healthcheck?: {
    readonly test: readonly string[];
    /** Nanoseconds, as in the image. */
    readonly interval?: number;
    readonly timeout?: number;
    readonly startPeriod?: number;
    readonly retries?: number;
  };
}

/** layers/…/layer.json */
export interface LayerRecord {
  readonly version: 1;
  readonly diffId: Digest;
  /** Digest of the compressed blob it came from. */
  readonly blob?: Digest;
  /** Bytes of file contents. */
  readonly size: number;
  readonly entries: number;
}

/** Uid and gid maps a store's layers are owned through; `single` when only the account's own id is mapped. */
export interface StoreMap {
  readonly kind: 'host' | 'subordinate' | 'single';
  readonly uid: readonly { readonly inside: number; readonly outside: number; readonly count: number }[];
  readonly gid: readonly { readonly inside: number; readonly outside: number; readonly count: number }[];
}
