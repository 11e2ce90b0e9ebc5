import type { WholeFile } from '../host/beside.ts';
import type { Host } from '../host/host.ts';
import { isHex, parseDigest } from './digest.ts';
import { namePath } from './names.ts';
import type { Digest } from './types.ts';

/** pulled/ESCAPED: where the image of a name came from. */
export interface PulledRecord {
  readonly version: 1;
  /** 64 hexadecimal digits. */
  readonly image: string;
  /** What the registry says under the name: digest of the manifest, or of the index for several platforms. */
  readonly digest: Digest;
  /** What was asked for, `linux/arm64`; empty: what this machine is. Absent in older records, which are never believed to be unchanged. */
  readonly platform?: string;
  /** The image that had the name before; kept by garbage collection for what uses the name. */
  readonly previous?: string;
  /** Seconds since the epoch. */
  readonly time: number;
}

function pulledPath(store: string, reference: string): string {
  return namePath(store, reference).replace(`${store}/names/`, `${store}/pulled/`);
}

/** undefined when the name was not pulled, or the file is broken: then the registry is asked as if for the first time. */
export function readPulled(host: Host, store: string, reference: string): PulledRecord | undefined {
  const text = host.readFileIfExists(pulledPath(store, reference), 4096);
  if (text === undefined) return undefined;
  let value: Partial<PulledRecord> | null;
  try {
    value = JSON.parse(text) as Partial<PulledRecord> | null;
  } catch {
    return undefined;
  }
  if (value?.version !== 1 || !isId(value.image) || parseDigest(value.digest) === undefined) return undefined;
  return value as PulledRecord;
}

/** In a directory that is there. */
export function pulledFile(host: Host, store: string, reference: string, record: PulledRecord): WholeFile {
  host.mkdirs(`${store}/pulled`, 0o700);
  return { path: pulledPath(store, reference), data: `${JSON.stringify(record)}\n` };
}

export function removePulled(host: Host, store: string, reference: string): boolean {
  return host.unlink(pulledPath(store, reference));
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && value.length === 64 && isHex(value);
}
