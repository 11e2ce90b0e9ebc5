import type { Host } from '../../host/host.ts';
import type { Digest } from '../types.ts';
import { amountText, labelOf, makeMeter, sizeWord, statusText, type Meter, type PullState } from './status.ts';

/** Who looks: a terminal gets a bar per layer, another program a line it can read, a log whole lines. */
export type ProgressKind = 'bars' | 'lines' | 'report' | 'none';

/** Hears of one pull at a time. */
export interface Progress {
  begin(reference: string, layers: readonly { readonly digest: Digest; readonly size: number }[]): void;
  bytes(digest: Digest, count: number): void;
  /** A download begins again from here (a server that takes no range). */
  layerDone(digest: Digest): void;
  /** Another pull does it; `bytes`: its count. */
  others(bytes: number, text: string): void;
  /** What keeps it from going on for a while. */
  waiting(text: string): void;
  /** Bytes so far and a line, for those who wait for us. */
  state(): { readonly bytes: number; readonly text: string };
  end(): void;
}

interface Counted {
  readonly size: number;
  bytes: number;
}

interface Counts {
  label: string;
  readonly layers: Map<Digest, Counted>;
  readonly active: Map<Digest, Counted>;
  done: number;
  total: number;
  bytes: number;
  meter: Meter;
}

/** `state` is asked for as often as `every` milliseconds. */
export function makeProgress(host: Host, kind: ProgressKind): Progress {
  const counts: Counts = {
    label: '',
    layers: new Map(),
    active: new Map(),
    done: 0,
    total: 0,
    bytes: 0,
    meter: makeMeter(),
  };
  const view = VIEWS[kind](host, counts);
  return {
    begin(reference, layers) {
      counts.label = labelOf(reference);
      counts.layers.clear();
      counts.active.clear();
      for (const { digest, size } of layers) counts.layers.set(digest, { size, bytes: 0 });
      counts.done = counts.bytes = 0;
      counts.total = layers.reduce((sum, layer) => sum + layer.size, 0);
      counts.meter = makeMeter();
      view.begin();
    },
    bytes(digest, count) {
      const layer = counts.layers.get(digest);
      if (layer === undefined) return;
      counts.active.set(digest, layer);
      layer.bytes += count;
      counts.bytes += count;
      counts.meter.count(count, host.now());
      view.changed();
    },
    layerDone(digest) {
      const layer = counts.layers.get(digest);
      counts.active.delete(digest);
      counts.done++;
      if (layer !== undefined) view.layerDone(digest, layer);
    },
    others: (bytes, text) => view.others(bytes, text),
    waiting: text => view.waiting(text),
    state: () => ({ bytes: counts.bytes, text: statusText(stateOf(host, counts)) }),
    end: () => view.end(),
  };
}

function stateOf(host: Host, counts: Counts): PullState {
  return {
    label: counts.label,
    layers: counts.layers.size,
    layersDone: counts.done,
    total: counts.total,
    bytes: counts.bytes,
    rate: counts.meter.rate(host.now()),
  };
}

interface View {
  begin(): void;
  changed(): void;
  layerDone(digest: Digest, layer: Counted): void;
  others(bytes: number, text: string): void;
  waiting(text: string): void;
  end(): void;
}

const QUIET: View = {
  begin: () => undefined,
  changed: () => undefined,
  layerDone: () => undefined,
  others: () => undefined,
  waiting: () => undefined,
  end: () => undefined,
};

const VIEWS: Readonly<Record<ProgressKind, (host: Host, counts: Counts) => View>> = {
  none: () => QUIET,
  lines: linesView,
  report: reportView,
  bars: barsView,
};

function linesView(host: Host, counts: Counts): View {
  const say = (line: string): void => host.write(2, `${line}\n`);
  let told = '';
  return {
    ...QUIET,
    begin: () => say(`pulling ${counts.label}: ${counts.layers.size} layers, ${sizeWord(counts.total)}`),
    layerDone: (digest, layer) =>
      say(`layer ${counts.done}/${counts.layers.size} ${shortDigest(digest)}: ${sizeWord(layer.size)}`),
    others: (_bytes, text) => {
      if (told === '') say(`another pull of it is running: ${text}`);
      told = text;
    },
  };
}

/** For the launcher (run/fetch.ts): `BYTES TEXT`, at most one line a second. */
function reportView(host: Host, counts: Counts): View {
  let last = 0;
  const tell = (bytes: number, text: string): void => {
    last = host.now();
    host.write(1, `${bytes} ${text}\n`);
  };
  const tellOwn = (): void => tell(counts.bytes, statusText(stateOf(host, counts)));
  return {
    ...QUIET,
    begin: tellOwn,
    changed: () => {
      if (host.now() - last >= 1) tellOwn();
    },
    layerDone: tellOwn,
    others: tell,
    waiting: text => tell(counts.bytes, text),
  };
}

const BAR = 30;
const FRAME = 0.1;

/** Finished layers scroll away; those that move and one line for all are drawn again in their place. */
function barsView(host: Host, counts: Counts): View {
  let drawn = 0;
  let last = 0;
  const clear = (): void => {
    if (drawn > 0) host.write(2, `\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    clear();
    const lines = [...counts.active].map(([digest, layer]) => `${shortDigest(digest)} ${bar(layer)}`);
    lines.push(statusText(stateOf(host, counts)));
    host.write(2, lines.map(line => `${line.slice(0, 79)}\n`).join(''));
    drawn = lines.length;
    last = host.now();
  };
  const line = (text: string): void => {
    clear();
    host.write(2, `${text.slice(0, 79)}\n`);
    drawn = 1;
  };
  return {
    begin: draw,
    changed: () => {
      if (host.now() - last >= FRAME) draw();
    },
    layerDone: (digest, layer) => {
      clear();
      host.write(2, `${shortDigest(digest)} ${sizeWord(layer.size)}\n`);
      draw();
    },
    others: (_bytes, text) => line(`another pull: ${text}`),
    waiting: line,
    end: clear,
  };
}

function bar(layer: Counted): string {
  const full = Math.min(BAR, layer.size === 0 ? BAR : Math.floor((layer.bytes / layer.size) * BAR));
  return `[${'='.repeat(full)}${' '.repeat(BAR - full)}] ${amountText(layer.bytes, layer.size)}`;
}

function shortDigest(digest: Digest): string {
  return digest.slice(7, 19);
}
