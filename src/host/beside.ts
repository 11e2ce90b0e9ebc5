import type { Bytes, Host, Lock } from './host.ts';

/** A file that is there whole or not at all, for its owner alone. */
export interface WholeFile {
  readonly path: Bytes;
  readonly data: Bytes;
}

/** What Node's half does beside other work; only it has these. */
export interface Beside {
  /**
   * `writeFileAtomic` of each. Their bytes go to the disk at once, and so do their names afterwards, in this order: a file system commits for
   * all who ask at once together, and each commit is a wait. The names are not given before `ready`.
   */
  writeFilesAtomic(files: readonly WholeFile[], ready?: Promise<unknown>): Promise<void>;
  /** `lock` of Files, waiting for who has it. */
  awaitLock(path: Bytes, exclusive: boolean): Promise<Lock>;
}

/** The host with these calls. */
export function beside(host: Host): Beside {
  return host as Host & Beside;
}
