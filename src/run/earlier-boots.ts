import type { Host } from '../host/host.ts';
import { runtimeDirectory } from './directories.ts';
import { bootId, layerPath, readNote } from './layer.ts';
import { tryLockName } from './locks.ts';

/**
 * What containers of --rm had in the store when the power went: names that were made up for a run never come again, so no start would find
 * them. A removal looks for them once per boot, since it is nothing that anybody waits for. The boot is what tells: a runtime directory
 * may be hidden from us, and clocks jump.
 */
export function sweepEarlierBoots(host: Host, store: string, remove: (name: string) => readonly string[]): string[] {
  const marker = `${runtimeDirectory(host)}/swept`;
  if (host.lstat(marker) !== undefined || host.lstat(`${store}/containers`) === undefined) return [];
  const boot = bootId(host);
  if (boot === undefined) return [];
  const lines: string[] = [];
  for (const { name } of host.list(`${store}/containers`)) {
    if (!isOver(host, store, name, boot)) continue;
    const lock = tryLockName(host, store, name);
    if (lock === undefined) continue;
    try {
      if (isOver(host, store, name, boot)) lines.push(...remove(name));
    } finally {
      lock.release();
    }
  }
  host.writeFile(marker, '', 0o600);
  return lines;
}

function isOver(host: Host, store: string, name: string, boot: string): boolean {
  const note = readNote(host, layerPath(store, name));
  // Nobody who starts it has its lock: the note had not come to the disk, and the layer was seconds old.
  if (note === undefined) return true;
  return note.remove === true && note.boot !== undefined && note.boot !== boot;
}
