import type { Bytes } from '../host/host.ts';

/** Fields of one CSV record (RFC 4180); undefined when a quote is misplaced. */
export function parseRecord(text: Bytes): Bytes[] | undefined {
  if (!text.includes('"')) return text.split(',');
  const fields: Bytes[] = [];
  let at = 0;
  for (;;) {
    let field: Bytes;
    if (text.charAt(at) === '"') {
      const end = closingQuote(text, at + 1);
      if (end === undefined) return undefined;
      field = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
      if (at < text.length && text.charAt(at) !== ',') return undefined;
    } else {
      const comma = text.indexOf(',', at);
      field = text.slice(at, comma < 0 ? text.length : comma);
      at = comma < 0 ? text.length : comma;
      if (field.includes('"')) return undefined;
    }
    fields.push(field);
    if (at >= text.length) return fields;
    at++;
  }
}

function closingQuote(text: Bytes, from: number): number | undefined {
  for (let at = from; ; at++) {
    at = text.indexOf('"', at);
    if (at < 0) return undefined;
    if (text.charAt(at + 1) !== '"') return at;
    at++;
  }
}

export function formatRecord(fields: readonly Bytes[]): Bytes {
  return fields.map(field => (/[",\r\n]|^ /.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}
