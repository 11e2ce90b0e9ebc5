const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** base64 (RFC 4648, 4) of a byte string. */
export function encodeBase64(bytes: string): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a, b, c] = [bytes.charCodeAt(i), bytes.charCodeAt(i + 1), bytes.charCodeAt(i + 2)];
    const rest = bytes.length - i;
    const group = (a << 16) | ((rest > 1 ? b : 0) << 8) | (rest > 2 ? c : 0);
    const digit = (shift: number): string => DIGITS.charAt((group >> shift) & 63);
    text += digit(18) + digit(12) + (rest > 1 ? digit(6) : '=') + (rest > 2 ? digit(0) : '=');
  }
  return text;
}

/** The bytes; what is no digit is stepped over, a `=` is the end. The digits of RFC 4648, 5 (`-`, `_`) count, too. */
export function decodeBase64(text: string): string {
  const end = text.indexOf('=');
  const digits = (end < 0 ? text : text.slice(0, end)).replaceAll('-', '+').replaceAll('_', '/');
  let bytes = '';
  let group = 0;
  let bits = 0;
  for (const character of digits) {
    const value = DIGITS.indexOf(character);
    if (value < 0) continue;
    group = ((group << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += String.fromCharCode((group >> bits) & 0xff);
  }
  return bytes;
}
