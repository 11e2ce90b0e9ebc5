import type { Host } from '../host/host.ts';
import type { ManagerBus, Signal } from '../systemd/bus.ts';
import { unitPath } from '../systemd/unit-path.ts';
import { printable } from './command-line.ts';

/** Live lines of units that are on their way: one per unit, which changes, on a terminal; elsewhere a line at its end. */
export interface Board {
  /** The last word about a unit. */
  finish(unit: string, text: string): void;
  close(): void;
}

export function openBoard(host: Host, bus: ManagerBus, units: readonly string[]): Board {
  // A terminal that does not know its size says 0.
  const rows = process.stdout.rows ?? 0;
  if (!host.isTerminal(1) || units.length === 0 || units.length >= (rows === 0 ? 24 : rows)) return plainBoard(host);
  return liveBoard(host, bus, units);
}

function plainBoard(host: Host): Board {
  return {
    finish: (unit, text) => host.write(1, `${unit}: ${text}\n`),
    close: () => undefined,
  };
}

function liveBoard(host: Host, bus: ManagerBus, units: readonly string[]): Board {
  const texts = new Map(units.map(unit => [unit, 'waiting']));
  const ended = new Set<string>();
  const byPath = new Map(units.map(unit => [unitPath(unit), unit]));
  const width = Math.max(...units.map(unit => unit.length));
  let drawn = 0;
  const draw = (): void => {
    const columns = process.stdout.columns ?? 0;
    const room = columns === 0 ? 79 : Math.max(columns - 1, 20);
    const lines = units.map(unit => `${unit.padEnd(width)}  ${texts.get(unit) ?? ''}`.slice(0, room));
    host.write(1, `${drawn > 0 ? `\x1b[${drawn}A` : ''}${lines.map(line => `\r\x1b[K${line}\n`).join('')}`);
    drawn = lines.length;
  };
  const stop = bus.listen(signal => {
    const unit = byPath.get(signal.path);
    const text = unit === undefined || ended.has(unit) ? undefined : textOf(signal);
    if (unit === undefined || text === undefined || texts.get(unit) === text) return;
    texts.set(unit, text);
    draw();
  });
  draw();
  return {
    finish(unit, text) {
      ended.add(unit);
      texts.set(unit, text);
      draw();
    },
    close: stop,
  };
}

/** What a change of properties says of a unit (man 5 org.freedesktop.systemd1): its own words before its state. */
function textOf({ member, body }: Signal): string | undefined {
  if (member !== 'PropertiesChanged') return undefined;
  const changed = (body[1] ?? {}) as Record<string, unknown>;
  const status = changed['StatusText'];
  if (typeof status === 'string' && status !== '') return printable(status);
  const { ActiveState: active, SubState: sub } = changed;
  return typeof active === 'string' && typeof sub === 'string' ? `${active} (${sub})` : undefined;
}
