import { encodePoint } from './utf8.ts';

/**
 * JSON (RFC 8259) of byte strings: a document is UTF-8 bytes, one character per byte, and so are all strings in it. Text that
 * `JSON.stringify` makes of byte strings is such a document, since it leaves everything from U+0080 up as it is.
 * Only escapes need care: `\u00e4` names a code point, which must become the two bytes that a plain ä would be.
 *
 * Throws SyntaxError.
 */
export function parseJson(bytes: string): unknown {
  return JSON.parse(bytes.includes('\\u') ? encodeEscapes(bytes) : bytes);
}

/** Escapes of code points above U+007F as UTF-8; a lone surrogate becomes U+FFFD. */
function encodeEscapes(bytes: string): string {
  return bytes.replace(
    ESCAPE,
    (whole, high: string | undefined, low: string | undefined, single: string | undefined) => {
      if (single === undefined && high === undefined) return whole; // another escape, such as `\\`: stepped over as one
      if (high !== undefined && low !== undefined) {
        return encodePoint(0x10000 + ((parseInt(high, 16) - 0xd800) << 10) + (parseInt(low, 16) - 0xdc00));
      }
      const point = parseInt(single ?? '', 16);
      if (point < 0x80) return whole;
      return encodePoint(point >= 0xd800 && point < 0xe000 ? 0xfffd : point);
    },
  );
}

const ESCAPE = /\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\u([0-9a-f]{4})|\\[^u]/gi;
