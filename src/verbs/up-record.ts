import { createHash } from 'node:crypto';
import { decodeText, encodeText } from '../base/text.ts';
import type { Bytes, Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import type { Piece } from './up-source.ts';

/** What `berth up` did for an application: `.NAME.up` in the directory of unit files, JSON. */
export interface UpRecord {
  readonly version: 1;
  readonly source: string;
  /** Hash of each installed file, by its path below the application's directory. */
  readonly files: Readonly<Record<string, string>>;
  /** What each unit was last started from, and systemd's id of that run. */
  readonly started: Readonly<Record<string, Started>>;
}

export interface Started {
  readonly hash: string;
  readonly invocation: string;
}

export function recordPath(base: Bytes, name: Bytes): Bytes {
  return `${base}/.${name}.up`;
}

/** Undefined when nothing of that name was brought up. Throws Failure when the file is not what `up` writes. */
export function readRecord(host: Host, path: Bytes): UpRecord | undefined {
  const text = host.readFileIfExists(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(decodeText(text));
  } catch {
    throw new Failure(125, `${path}: this is no JSON: remove it, and up takes the files as placed by hand`);
  }
  const record = value as Partial<UpRecord> | null;
  if (
    typeof record !== 'object' ||
    record?.version !== 1 ||
    !isTexts(record.files) ||
    typeof record.source !== 'string'
  )
    throw new Failure(
      125,
      `${path}: no record of this version of berth: remove it, and up takes the files as placed by hand`,
    );
  const paths = Object.keys(record.files);
  const leading = paths.find(one => one.startsWith('/') || one.split('/').includes('..'));
  if (leading !== undefined) throw new Failure(125, `${path}: ${leading} leads out of the application's directory`);
  return { version: 1, source: record.source, files: record.files, started: startedOf(record.started) };
}

export function writeRecord(host: Host, path: Bytes, record: UpRecord): void {
  host.writeFileAtomic(path, encodeText(`${JSON.stringify(record, undefined, 2)}\n`), 0o644);
}

/** Every record of a directory of unit files: the application's name and what `up` did for it. */
export function listRecords(host: Host, base: Bytes): { name: Bytes; record: UpRecord }[] {
  if (host.stat(base)?.kind !== 'directory') return [];
  return host.list(base).flatMap(({ name, kind }) => {
    if (kind !== 'file' || !/^\..+\.up$/.test(name)) return [];
    const record = readRecord(host, `${base}/${name}`);
    return record === undefined ? [] : [{ name: name.slice(1, -'.up'.length), record }];
  });
}

/** SHA-256 of a byte string, the first 32 digits: a directory may hold files of many megabytes. */
export function digestOf(text: Bytes): string {
  return createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 32);
}

/** The hash by which a file on disk is compared with what was written there; undefined: nothing is there. */
export function fileHash(host: Host, path: Bytes): string | undefined {
  const stat = host.lstat(path);
  if (stat === undefined) return undefined;
  if (stat.kind === 'symlink') return digestOf(`link ${host.readlink(path)}`);
  return stat.kind === 'file' ? digestOf(host.readFile(path)) : stat.kind;
}

export function pieceHash(piece: Piece): string {
  return piece.link === undefined ? digestOf(piece.text ?? '') : digestOf(`link ${piece.link}`);
}

function isTexts(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every(one => typeof one === 'string');
}

function startedOf(value: unknown): Record<string, Started> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value as Record<string, Partial<Started> | null>).flatMap(([unit, one]) =>
      typeof one?.hash === 'string' && typeof one.invocation === 'string'
        ? [[unit, { hash: one.hash, invocation: one.invocation }]]
        : [],
    ),
  );
}
