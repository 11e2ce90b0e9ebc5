import type { ContainerState } from '../run/state.ts';

/** `5 minutes`, the largest unit that fits, as the peer shows ages. */
export function ageOf(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 1) return 'Less than a second';
  for (const [name, size, least] of UNITS) {
    if (whole >= size * least) return plural(Math.floor(whole / size), name);
  }
  return plural(whole, 'second');
}

export function agoOf(seconds: number): string {
  return `${ageOf(seconds)} ago`;
}

/** Name, its length in seconds, and from how many of it on it is used. */
const UNITS: readonly (readonly [name: string, size: number, least: number])[] = [
  ['year', 365 * 86_400, 2],
  ['month', 30 * 86_400, 2],
  ['week', 7 * 86_400, 2],
  ['day', 86_400, 2],
  ['hour', 3600, 1],
  ['minute', 60, 1],
];

function plural(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** `0.0.0.0:8080->80/tcp, …` */
export function portsText(ports: ContainerState['ports']): string {
  return ports
    .map(port => `${port.host === '' ? '0.0.0.0' : port.host}:${port.hostPort}->${port.port}/${port.protocol}`)
    .join(', ');
}

/** `10.8kB`: decimal units without a blank, as the peer shows what containers use; `digits` that count (default 3). */
export function shortSize(bytes: number, digits = 3): string {
  let value = bytes;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${units[unit] ?? ''}`;
}

/** `1m2.5s`, `9.443ms`, `0s`: a duration as Go prints it. */
export function goDuration(seconds: number): string {
  const nanos = Math.max(0, Math.round(seconds * 1e9));
  if (nanos === 0) return '0s';
  if (nanos < 1e3) return `${nanos}ns`;
  // The bytes of µ in UTF-8.
  if (nanos < 1e6) return `${nanos / 1e3}\xc2\xb5s`;
  if (nanos < 1e9) return `${nanos / 1e6}ms`;
  const whole = Math.floor(nanos / 1e9);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = `${Number(((nanos - (whole - (whole % 60)) * 1e9) / 1e9).toFixed(9))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
