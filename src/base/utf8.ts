const HIGH = /[\x80-\xff]/;

/** Where a byte string stops being UTF-8 (RFC 3629); -1 when all of it is. */
export function nonText(bytes: string): number {
  if (!HIGH.test(bytes)) return -1;
  for (let i = 0; i < bytes.length;) {
    const first = bytes.charCodeAt(i);
    const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length === 0 || !continued(bytes, i, first, length)) return i;
    i += length;
  }
  return -1;
}

function continued(bytes: string, at: number, first: number, length: number): boolean {
  for (let k = 1; k < length; k++) if ((bytes.charCodeAt(at + k) & 0xc0) !== 0x80) return false;
  const second = bytes.charCodeAt(at + 1);
  if (first === 0xe0 && second < 0xa0) return false;
  if (first === 0xed && second >= 0xa0) return false;
  if (first === 0xf0 && second < 0x90) return false;
  return !(first === 0xf4 && second >= 0x90);
}

/** A code point as UTF-8 bytes. */
export function encodePoint(point: number): string {
  if (point < 0x80) return String.fromCharCode(point);
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), 0x80 | (point & 63));
  if (point < 0x10000) {
    return String.fromCharCode(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  }
  return String.fromCharCode(
    0xf0 | (point >> 18),
    0x80 | ((point >> 12) & 63),
    0x80 | ((point >> 6) & 63),
    0x80 | (point & 63),
  );
}
