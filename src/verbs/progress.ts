import type { Host } from '../host/host.ts';
import type { ManagerBus } from '../systemd/bus.ts';
import { unitPath } from '../systemd/unit-path.ts';

/** While `body` runs, the status texts of units (`pulling app:1.2: layer 3/7, …`) stand in the last line of a terminal; elsewhere nothing. */
export async function withProgress<T>(
  host: Host,
  bus: ManagerBus,
  units: readonly string[],
  body: () => Promise<T>,
): Promise<T> {
  if (!host.isTerminal(2)) return body();
  const names = new Map(units.map(unit => [unitPath(unit), unit]));
  const stop = bus.listen(signal => {
    const unit = names.get(signal.path);
    if (unit === undefined || signal.member !== 'PropertiesChanged') return;
    const status = (signal.body[1] as Record<string, unknown> | undefined)?.['StatusText'];
    if (typeof status === 'string' && status !== '') host.write(2, `\r\x1b[K${unit}: ${shown(status)}`);
  });
  try {
    return await body();
  } finally {
    stop();
    host.write(2, '\r\x1b[K');
  }
}

/** What a payload wrote cannot move the cursor (T28), nor wrap the line. */
function shown(status: string): string {
  const width = (process.stderr.columns ?? 80) - 30;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return status.replace(/[\x00-\x1f\x7f-\x9f]/g, '?').slice(0, Math.max(width, 20));
}
