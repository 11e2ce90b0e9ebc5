import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import type { Beside, WholeFile } from './beside.ts';
import type { Bytes } from './host.ts';
import { call, toBuffer } from './node-errors.ts';
import { lockFileBeside } from './node-lock.ts';

export function besideOfNode(): Beside {
  return { writeFilesAtomic, awaitLock: lockFileBeside };
}

async function writeFilesAtomic(files: readonly WholeFile[], ready?: Promise<unknown>): Promise<void> {
  // Heard of below, when the bytes are written.
  ready?.catch(() => undefined);
  const written = files.map(({ path, data }) => {
    const directory = path.slice(0, path.lastIndexOf('/') + 1);
    return { path, data, directory, temporary: `${directory}.berth-${randomBytes(8).toString('hex')}` };
  });
  try {
    await Promise.all(
      written.map(({ data, temporary }) => synced(temporary, 'wx', fd => fs.writeFileSync(fd, toBuffer(data)))),
    );
    await ready;
    for (const { path, temporary } of written) call(path, () => fs.renameSync(toBuffer(temporary), toBuffer(path)));
  } catch (error) {
    for (const { temporary } of written) fs.rmSync(toBuffer(temporary), { force: true });
    throw error;
  }
  await Promise.all([...new Set(written.map(one => one.directory))].map(directory => synced(directory, 'r')));
}

/** Brings a file or directory to the disk, after what is to be done with it. */
async function synced(path: Bytes, flags: string, fill?: (fd: number) => void): Promise<void> {
  const fd = call(path, () => fs.openSync(toBuffer(path), flags, 0o600));
  try {
    call(path, () => fill?.(fd));
    const failure = await new Promise<Error | null>(resolve => fs.fsync(fd, resolve));
    call(path, () => {
      if (failure !== null) throw failure;
    });
  } finally {
    fs.closeSync(fd);
  }
}
