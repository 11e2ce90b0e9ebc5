/** How far a pull is. Bytes are those of the compressed blobs. */
export interface PullState {
  /** `app:1.2`, for people. */
  readonly label: string;
  readonly layers: number;
  readonly layersDone: number;
  readonly total: number;
  readonly bytes: number;
  /** Bytes per second of late; 0: unknown or standing still. */
  readonly rate: number;
  /** Nothing comes but what another pull brings. */
  readonly others: boolean;
}

/** `pulling app:1.2: layer 3/7, 412/980 MB, 9 MB/s, 1 min left` */
export function statusText(state: PullState): string {
  const parts = [`layer ${Math.min(state.layersDone + 1, state.layers)}/${state.layers}`];
  parts.push(amountText(state.bytes, state.total));
  if (state.rate > 0) {
    parts.push(`${sizeWord(state.rate)}/s`);
    if (state.bytes < state.total) parts.push(`${timeText((state.total - state.bytes) / state.rate)} left`);
  }
  return `pulling ${state.label}: ${parts.join(', ')}${state.others ? '; another pull brings it' : ''}`;
}

/** `412/980 MB`: both in the unit of the larger. */
export function amountText(bytes: number, total: number): string {
  const power = powerOf(total);
  return `${scaled(bytes, power)}/${scaled(total, power)} ${UNITS[power] ?? ''}`;
}

/** `9 MB`, decimal units. */
export function sizeWord(bytes: number): string {
  const power = powerOf(bytes);
  return `${scaled(bytes, power)} ${UNITS[power] ?? ''}`;
}

/** `45 s`, `1 min`, `2 h 5 min` */
export function timeText(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The last part of a name with its tag, or with the beginning of its digest: the whole would fill the line. */
export function labelOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1).replace(/(@sha\d+:.{12}).*$/, '$1');
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

function powerOf(bytes: number): number {
  let power = 0;
  for (let value = bytes; value >= 1000 && power < UNITS.length - 1; value /= 1000) power++;
  return power;
}

function scaled(bytes: number, power: number): string {
  const value = bytes / 1000 ** power;
  return value < 10 && power > 0 ? String(Number(value.toFixed(1))) : value.toFixed(0);
}

/** Bytes per second over the last seconds, from what was counted. */
export interface Meter {
  /** `now`: seconds. */
  count(bytes: number, now: number): void;
  rate(now: number): number;
}

const WINDOW = 8;

export function makeMeter(): Meter {
  const slots: { second: number; bytes: number }[] = [];
  let first: number | undefined;
  return {
    count(bytes, now) {
      first ??= now;
      const second = Math.floor(now);
      const last = slots.at(-1);
      if (last?.second === second) last.bytes += bytes;
      else slots.push({ second, bytes });
      while ((slots[0]?.second ?? second) < second - WINDOW) slots.shift();
    },
    rate(now) {
      if (first === undefined) return 0;
      const from = Math.max(first, now - WINDOW);
      const bytes = slots.filter(slot => slot.second >= Math.floor(from)).reduce((sum, slot) => sum + slot.bytes, 0);
      return bytes / Math.max(1, now - from);
    },
  };
}
