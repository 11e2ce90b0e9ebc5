import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Node has 30 MB of read chunks before it looks which of them are done with; a pull of one large layer takes that much less memory so. */
const EVERY = 2 << 20;

let collect: ((options: { type: 'minor' }) => void) | undefined;
let bytes = 0;

/** To be told of the bytes of each chunk that is done with. Young garbage is collected every 2 MB, which takes less than a millisecond. */
export function chunkIsDone(length: number): void {
  bytes += length;
  if (bytes < EVERY) return;
  bytes = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

/** https://nodejs.org/docs/latest-v20.x/api/v8.html#v8setflagsfromstringflags */
function collector(): (options: { type: 'minor' }) => void {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('typeof gc === "function" ? gc : undefined');
  return typeof found === 'function' ? (found as (options: { type: 'minor' }) => void) : () => undefined;
}
