import { once } from 'node:events';
import { copyFileSync, createReadStream, mkdirSync, writeFileSync, type WriteStream } from 'node:fs';
import { tarHeader, tarPadding, TAR_END } from './tar-writer.ts';

/** Where an image is written: members of an archive, or files of a directory. */
export interface Target {
  text(name: string, bytes: string): Promise<void>;
  file(name: string, path: string, size: number): Promise<void>;
  end(): Promise<void>;
}

export function tarTarget(out: WriteStream | NodeJS.WriteStream): Target {
  const put = async (data: Buffer): Promise<void> => {
    if (data.length > 0 && !out.write(data)) await once(out, 'drain');
  };
  return {
    async text(name, bytes) {
      const data = Buffer.from(bytes, 'latin1');
      await put(tarHeader(name, data.length));
      await put(data);
      await put(tarPadding(data.length));
    },
    async file(name, path, size) {
      await put(tarHeader(name, size));
      for await (const chunk of createReadStream(Buffer.from(path, 'latin1'), { highWaterMark: 1 << 20 }))
        await put(chunk as Buffer);
      await put(tarPadding(size));
    },
    end: () => put(TAR_END),
  };
}

/** The directory is made; it must not exist. */
export function directoryTarget(directory: string): Target {
  const place = (name: string): Buffer => Buffer.from(`${directory}/${name}`, 'latin1');
  const parents = (name: string): void => {
    const parent = name.slice(0, Math.max(0, name.lastIndexOf('/')));
    if (parent !== '') mkdirSync(place(parent), { recursive: true, mode: 0o755 });
  };
  mkdirSync(Buffer.from(directory, 'latin1'), { mode: 0o755 });
  return {
    text(name, bytes) {
      parents(name);
      writeFileSync(place(name), Buffer.from(bytes, 'latin1'), { mode: 0o644 });
      return Promise.resolve();
    },
    file(name, path) {
      parents(name);
      copyFileSync(Buffer.from(path, 'latin1'), place(name));
      return Promise.resolve();
    },
    end: () => Promise.resolve(),
  };
}
