/** The peer takes `10m` for ten minutes ago, and seconds since the epoch; journalctl(1) writes them -10m and @N. */
export function journalTime(value: string): string {
  if (/^\d+(\.\d+)?$/.test(value)) return `@${value}`;
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return `@${Date.parse(value) / 1000}`;
  return /^(\d+(h|ms|m|s))+$/.test(value) ? `-${value}` : value;
}
