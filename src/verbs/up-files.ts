import type { Bytes, Host } from '../host/host.ts';
import type { Plan } from './up-plan.ts';
import { pieceHash, recordPath, writeRecord, type UpRecord } from './up-record.ts';
import type { Piece } from './up-source.ts';

/** Makes the changes of files, and notes what was written. When one cannot be made, those before it are undone and the error goes on. */
export function changeFiles(host: Host, base: Bytes, plans: readonly Plan[]): void {
  const undo: (() => void)[] = [];
  try {
    for (const { application, changes } of plans) {
      for (const [path, piece] of changes) {
        undo.push(restorer(host, path));
        if (piece === undefined) removeFile(host, path, base);
        else writePiece(host, path, piece);
      }
      host.mkdirs(base, 0o755);
      undo.push(restorer(host, recordPath(base, application.name)));
      noteFiles(host, base, plans, application.name);
    }
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw error;
  }
}

function noteFiles(host: Host, base: Bytes, plans: readonly Plan[], name: Bytes): void {
  const plan = plans.find(({ application }) => application.name === name);
  if (plan === undefined) return;
  const { application, record, steps } = plan;
  const files = Object.fromEntries(application.pieces.map(piece => [piece.path, pieceHash(piece)]));
  // Also for an end before they are started anew: what runs by then is of the files from before.
  const running = steps.flatMap(({ unit, runs }) => (runs === undefined ? [] : [[unit, runs] as const]));
  const started = { ...record?.started, ...Object.fromEntries(running) };
  const next: UpRecord = { version: 1, source: application.source, files, started };
  writeRecord(host, recordPath(base, name), next);
}

function writePiece(host: Host, path: Bytes, { text, link, mode }: Piece): void {
  host.mkdirs(path.slice(0, path.lastIndexOf('/')), 0o755);
  if (link === undefined) {
    if (host.lstat(path)?.kind === 'symlink') host.unlink(path);
    host.writeFileAtomic(path, text ?? '', mode);
    return;
  }
  host.unlink(path);
  host.symlink(link, path);
}

/** Directories that are empty then go too, up to the directory of unit files. */
export function removeFile(host: Host, path: Bytes, base: Bytes): void {
  host.unlink(path);
  let directory = path.slice(0, path.lastIndexOf('/'));
  while (directory.startsWith(`${base}/`) && host.lstat(directory)?.kind === 'directory') {
    if (host.list(directory).length > 0) return;
    host.rmdir(directory);
    directory = directory.slice(0, directory.lastIndexOf('/'));
  }
}

/** Puts back what is at a path now. It runs while an error is on its way: a second one must not hide that. */
export function restorer(host: Host, path: Bytes): () => void {
  const stat = host.lstat(path);
  const link = stat?.kind === 'symlink' ? host.readlink(path) : undefined;
  const text = stat?.kind === 'file' ? host.readFile(path) : undefined;
  return () => {
    try {
      if (text !== undefined) writePiece(host, path, { path, text, mode: stat?.mode ?? 0o644 });
      else if (link !== undefined) writePiece(host, path, { path, link, mode: 0o777 });
      else if (stat === undefined && host.lstat(path) !== undefined) host.unlink(path);
    } catch {
      host.write(2, `berth: ${path}: could not be put back as it was\n`);
    }
  };
}
