/** Control characters as text (T28), so that a message stays one line. */
export function printable(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    out += c < 32 || c === 127 ? `\\x${c < 16 ? '0' : ''}${c.toString(16)}` : text.charAt(i);
  }
  return out;
}
