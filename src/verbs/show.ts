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
