import { KIND, kindsOf } from '../base/kinds.ts';
import type { Bytes } from '../host/host.ts';
import type { Check } from './keys.ts';

interface Rule {
  readonly pattern: RegExp;
  readonly what: string;
}

/** The forms of values that the commands take; what is right stands in the message. */
const RULES: Readonly<Record<Check, Rule>> = {
  size: { pattern: /^(-1|[0-9]+(\.[0-9]+)?[bkmgtp]?(i?b)?)$/i, what: 'a size such as 512m or 2g' },
  duration: {
    pattern: /^(disable|[0-9]+|([0-9]+(\.[0-9]+)?(ns|us|\xc2\xb5s|ms|s|m|h))+)$/,
    what: 'a duration such as 30s or 1m30s',
  },
  count: { pattern: /^-?[0-9]+$/, what: 'a whole number' },
  port: {
    pattern: /^((\[[0-9a-fA-F:.]*\]|[0-9.]*):)?([0-9]*(-[0-9]+)?:)?[0-9]+(-[0-9]+)?(\/(tcp|udp|sctp))?$/i,
    what: '[[ADDRESS:]HOSTPORT:]PORT[/PROTOCOL]',
  },
  expose: { pattern: /^[0-9]+(-[0-9]+)?(\/(tcp|udp|sctp))?$/i, what: 'N, N-M or N/udp' },
  signal: { pattern: /^((SIG)?[A-Z][A-Z0-9]*(([+-])[0-9]+)?|[0-9]{1,2})$/i, what: 'a signal such as SIGTERM or 15' },
  name: { pattern: /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/, what: 'letters, digits, `_`, `.` and `-`, no others' },
  path: { pattern: /^\//, what: 'an absolute path' },
  address: { pattern: /^[0-9a-fA-F.:]+$/, what: 'an IP address' },
  capability: { pattern: /^(CAP_)?[A-Z][A-Z_0-9]*$/i, what: 'a capability such as NET_ADMIN, or all' },
};

/** Nearly all of them: decided without the whole rule. */
const SIMPLE_PORTS = /^[0-9]{1,4}:[0-9]{1,4}$/;

/** Several may stand in one value, with commas, as in the options that they become. */
const LISTS: ReadonlySet<Check> = new Set(['port', 'expose', 'capability']);

/** What a value should be when it is not; undefined when it may pass. Values that systemd expands at run time are not looked at. */
export function faultOf(check: Check, value: Bytes): string | undefined {
  if (check === 'port' && SIMPLE_PORTS.test(value)) return undefined;
  const kinds = kindsOf(value);
  if ((kinds & KIND.expanded) !== 0) return undefined;
  if (check === 'name' && kinds === 0 && value.length < 255 && isAlphanumeric(value.charCodeAt(0))) return undefined;
  const rule = RULES[check];
  if (LISTS.has(check) && value.includes(',')) {
    const wrong = value.split(',').find(part => faultOf(check, part) !== undefined);
    return wrong === undefined ? undefined : rule.what;
  }
  if (!rule.pattern.test(value)) return rule.what;
  return check === 'port' || check === 'expose' ? portFault(value) : undefined;
}

function isAlphanumeric(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57);
}

/** Numbers of ports are 1 to 65535, ranges go up, and both ranges have one length. */
function portFault(value: Bytes): string | undefined {
  const plain = value.replace(/\/[a-z]+$/i, '').replace(/^\[.*\]:/, '');
  const parts = plain.split(':');
  if (parts.length === 3) parts.shift();
  const lengths: number[] = [];
  for (const part of parts) {
    if (part === '') continue;
    if (part.includes('.')) continue;
    const [from = 0, to = from] = part.split('-').map(Number);
    if (to < from || to > 65535 || from > 65535) return 'ports from 1 to 65535, ranges upwards';
    lengths.push(to - from);
  }
  const [host, inner] = lengths;
  return host !== undefined && inner !== undefined && host !== inner && inner !== 0
    ? 'ranges of one length'
    : undefined;
}
