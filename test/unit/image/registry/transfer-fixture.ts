import { randomBytes } from 'node:crypto';
import { openRegistry } from '../../../../src/image/registry/open.ts';
import type { Descriptor, Registry, RegistryOptions } from '../../../../src/image/registry/types.ts';
import { hostFor, LAYER, openings, sha256, type Handler, type Server } from './server.ts';

const QUICK: RegistryOptions = { retry: 3, retryDelay: 0.01, stall: 1 };

/** Servers and impatient clients of them, closed after each test. */
export function quickOpenings(): {
  start: (handler: Handler) => Promise<Server>;
  open: (server: Server, options?: RegistryOptions) => Registry;
} {
  const { servers, opened, start } = openings();
  const open = (server: Server, options: RegistryOptions = {}): Registry => {
    const registry = openRegistry(hostFor(servers), `${server.host}/team/app:1`, { ...QUICK, ...options });
    opened.push(registry);
    return registry;
  };
  return { start, open };
}

/** A blob that comes in several pieces. */
export const LARGE = randomBytes(3 << 20);
export const BLOB: Descriptor = { mediaType: LAYER, digest: sha256(LARGE), size: LARGE.length };

export async function fetch(registry: Registry, blob = BLOB): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await registry.blob(blob, chunk => void chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}
