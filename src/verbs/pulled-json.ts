import type { Pulled } from '../image/pull/unchanged.ts';

/** `berth pull --format json`. */
export function pulledJson(done: readonly Pulled[]): string {
  const rows = done.map(({ id, name, layers, bytes }) => ({
    Id: id,
    Name: name,
    LayersFetched: layers,
    BytesFetched: bytes,
  }));
  return `${JSON.stringify(rows, undefined, 4)}\n`;
}
