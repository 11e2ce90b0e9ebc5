/**
 * Readers of single values, as Podman writes them. Each returns undefined for what it cannot read; the caller
 * names option, value and what is right.
 */

import type { RunRequest } from './request.ts';

/** Largest id that names somebody: 4294967295 is (uid_t)-1, "no change" for chown(2) and setresuid(2) (T13). */
export const MAX_ID = 4294967294;

/** Decimal digits only: no sign, no space, no exponent. */
export function readDigits(text: string, max: number): number | undefined {
  if (text === '' || text.length > 16) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= max ? value : undefined;
}

/** Podman's policies; what tells `unless-stopped` from `always` is the boot, after which neither is there. */
export function readRestart(text: string): RunRequest['restart'] | undefined {
  if (text === '' || text === 'no' || text === 'never') return { after: 'never' };
  if (text === 'always') return { after: 'always' };
  if (text === 'unless-stopped') return { after: 'always', unlessStopped: true };
  if (text === 'on-failure') return { after: 'failure' };
  const most = text.startsWith('on-failure:') ? readDigits(text.slice('on-failure:'.length), 1e6) : undefined;
  return most === undefined ? undefined : most === 0 ? { after: 'failure' } : { after: 'failure', most };
}

/** A user or group id: unsigned, below 4294967295 (T13). */
export function readId(text: string): number | undefined {
  return readDigits(text, MAX_ID);
}

/** A decimal integer with an optional minus, within the bounds. */
export function readInteger(text: string, min: number, max: number): number | undefined {
  const negative = text.startsWith('-');
  const value = readDigits(negative ? text.slice(1) : text, Number.MAX_SAFE_INTEGER);
  if (value === undefined) return undefined;
  const signed = negative ? -value : value;
  return signed >= min && signed <= max ? signed : undefined;
}

/** Octal digits, e.g. `0022`. */
export function readOctal(text: string, max: number): number | undefined {
  if (text === '' || text.length > 8) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return value <= max ? value : undefined;
}

/** A decimal fraction such as `0.5`; not negative. */
export function readDecimal(text: string): number | undefined {
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 46) dots++;
    else if (c < 48 || c > 57) return undefined;
  }
  if (dots > 1 || text.length === dots || text.length > 20) return undefined;
  return Number(text);
}

const UNITS = 'kmgtp';

/** Bytes of `10`, `10b`, `64k`, `1.5g`, `1GiB`: powers of 1024, any case. */
export function readSize(text: string): number | undefined {
  let end = 0;
  while (end < text.length && (isDigit(text, end) || text[end] === '.')) end++;
  const number = readDecimal(text.slice(0, end));
  if (number === undefined) return undefined;
  const unit = text.slice(text[end] === ' ' ? end + 1 : end).toLowerCase();
  let power = 0;
  if (unit !== '' && unit !== 'b') {
    power = UNITS.indexOf(unit.charAt(0)) + 1;
    const rest = unit.slice(1);
    if (power === 0 || (rest !== '' && rest !== 'b' && rest !== 'ib')) return undefined;
  }
  const bytes = Math.floor(number * 1024 ** power);
  return bytes <= Number.MAX_SAFE_INTEGER ? bytes : undefined;
}

const DURATIONS = new Map([
  ['ns', 1e-9],
  ['us', 1e-6],
  ['\u00b5s', 1e-6],
  ['\u00c2\u00b5s', 1e-6],
  ['ms', 1e-3],
  ['s', 1],
  ['m', 60],
  ['h', 3600],
]);

/** Seconds of `1h2m3.5s`, `300ms`; a bare `0`. (Go's time.ParseDuration.) */
export function readDuration(text: string): number | undefined {
  if (text === '0') return 0;
  let at = 0;
  let seconds = 0;
  while (at < text.length) {
    const start = at;
    while (at < text.length && (isDigit(text, at) || text[at] === '.')) at++;
    const number = readDecimal(text.slice(start, at));
    const unitStart = at;
    while (at < text.length && !isDigit(text, at) && text[at] !== '.') at++;
    const unit = DURATIONS.get(text.slice(unitStart, at));
    if (number === undefined || unit === undefined) return undefined;
    seconds += number * unit;
  }
  return text === '' ? undefined : seconds;
}

/** Go's strconv.ParseBool; the empty text is true (`ro` alone in a list of options). */
export function readBoolean(text: string): boolean | undefined {
  if (text === 'true' || text === '1' || text === '') return true;
  if (text === 'false' || text === '0') return false;
  const lower = text.toLowerCase();
  if (lower === 't' || lower === 'true') return true;
  if (lower === 'f' || lower === 'false') return false;
  return undefined;
}

/** signal(7), x86 and ARM. */
const SIGNALS =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS';
const RTMIN = 34;
const RTMAX = 64;

/** Number of `15`, `TERM`, `SIGTERM`, `sigrtmin+3`, `RTMAX-1`. */
export function readSignal(text: string): number | undefined {
  const number = readDigits(text, RTMAX);
  if (number !== undefined) return number > 0 ? number : undefined;
  let name = text.toUpperCase();
  if (name.startsWith('SIG')) name = name.slice(3);
  if (name.startsWith('RTM')) return realTimeSignal(name);
  if (name === 'IOT') name = 'ABRT';
  if (name === 'POLL') name = 'IO';
  if (name === 'CLD') name = 'CHLD';
  const index = SIGNALS.split(' ').indexOf(name);
  return index < 0 ? undefined : index + 1;
}

function realTimeSignal(name: string): number | undefined {
  const base = name.startsWith('RTMIN') ? RTMIN : name.startsWith('RTMAX') ? RTMAX : 0;
  if (base === 0) return undefined;
  if (name.length === 5) return base;
  const sign = base === RTMIN ? '+' : '-';
  const offset = name[5] === sign ? readDigits(name.slice(6), RTMAX - RTMIN) : undefined;
  if (offset === undefined) return undefined;
  return base === RTMIN ? base + offset : base - offset;
}

/** Rule of container and volume names (T20). */
export function isName(text: string): boolean {
  if (text === '' || text.length > 255) return false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const alphanumeric = (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122);
    if (!alphanumeric && (i === 0 || (c !== 95 && c !== 46 && c !== 45))) return false;
  }
  return true;
}

/** Splits at the first separator; the second part is undefined without one. */
export function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Fields of one line of comma-separated values with `"` quotes (RFC 4180); undefined for a stray or open quote. */
export function splitCsv(text: string): string[] | undefined {
  if (!text.includes('"')) return text.split(',');
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    let field = '';
    if (text[at] === '"') {
      for (at++; ; at++) {
        const quote = text.indexOf('"', at);
        if (quote < 0) return undefined;
        field += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        field += '"';
      }
      if (at < text.length && text[at] !== ',') return undefined;
    } else {
      const comma = text.indexOf(',', at);
      field = comma < 0 ? text.slice(at) : text.slice(at, comma);
      if (field.includes('"')) return undefined;
      at += field.length;
    }
    fields.push(field);
    if (at >= text.length) return fields;
    at++;
  }
}

function isDigit(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  return c >= 48 && c <= 57;
}

/** An absolute path without `.`, `..`, double and trailing slashes; undefined when it is not absolute or holds NUL. */
export function cleanPath(path: string): string | undefined {
  if (!path.startsWith('/') || path.includes('\0')) return undefined;
  if (!path.includes('//') && !path.includes('/.') && !path.endsWith('/')) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
