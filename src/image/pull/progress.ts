import type { Host } from '../../host/host.ts';
import type { Digest } from '../types.ts';
import { barLine, liveLines, terminalSize, type TerminalSize } from './bars.ts';
import { labelOf, makeMeter, sizeWord, statusText, type Meter, type PullState } from './status.ts';

/** Who looks: a terminal gets a bar per layer, another program a line it can read, a log whole lines. */
export type ProgressKind = 'bars' | 'lines' | 'report' | 'none';

/** Hears of one pull at a time. */
export interface Progress {
  begin(reference: string, layers: readonly { readonly digest: Digest; readonly size: number }[]): void;
  /** How many of its bytes are here; fewer than before when it begins again. `other`: another pull brings them. */
  bytes(digest: Digest, bytes: number, other?: boolean): void;
  /** So many of its bytes were kept by an earlier pull and have been read again: no speed of the line. */
  kept(digest: Digest, bytes: number): void;
  layerDone(digest: Digest): void;
  /** Bytes of a layer that are here. */
  at(digest: Digest): number;
  /** Another pull does it; `beat`: its count of what goes on. */
  others(beat: number, text: string): void;
  /** What keeps it from going on for a while. */
  waiting(text: string): void;
  /** Something goes on that brings no new bytes: the disk is written, or what is known comes again. `other`: in another pull. */
  beat(other?: boolean): void;
  /** For those who wait for us: bytes that have arrived, and a line. */
  state(): { readonly bytes: number; readonly beat: number; readonly text: string };
  end(): void;
}

interface Counted {
  readonly size: number;
  bytes: number;
  /** Another pull brings it. */
  other: boolean;
}

interface Counts {
  label: string;
  /** What came while we looked, whoever brought it. */
  arrived: number;
  /** What else went on, here and in pulls that we follow. More than before is a reason to wait longer. */
  beats: number;
  theirBeats: number;
  readonly layers: Map<Digest, Counted>;
  readonly active: Map<Digest, Counted>;
  done: number;
  total: number;
  bytes: number;
  meter: Meter;
}

/** `state` is asked for as often as `every` milliseconds. */
export function makeProgress(host: Host, kind: ProgressKind, size = terminalSize): Progress {
  const counts = newCounts();
  const view = VIEWS[kind](host, counts, size);
  let theirs: number | undefined;
  return {
    begin(reference, layers) {
      counts.label = labelOf(reference);
      for (const map of [counts.layers, counts.active]) map.clear();
      for (const { digest, size } of layers) counts.layers.set(digest, { size, bytes: 0, other: false });
      counts.done = counts.bytes = 0;
      counts.total = layers.reduce((sum, layer) => sum + layer.size, 0);
      counts.meter = makeMeter();
      view.begin();
    },
    bytes(digest, bytes, other = false) {
      const layer = counts.layers.get(digest);
      if (layer === undefined) return;
      const count = bytes - layer.bytes;
      // What another had before we looked has not just come.
      if (count > 0 && (!other || layer.other)) {
        counts.arrived += count;
        counts.meter.count(count, host.now());
      }
      if (other && !layer.other) view.follows(digest);
      layer.other = other;
      place(counts, digest, layer, bytes);
      view.changed();
    },
    kept(digest, bytes) {
      const layer = counts.layers.get(digest);
      if (layer === undefined) return;
      counts.arrived += Math.max(0, bytes - layer.bytes);
      place(counts, digest, layer, bytes);
      view.changed();
    },
    layerDone(digest) {
      const layer = counts.layers.get(digest);
      counts.active.delete(digest);
      counts.done++;
      if (layer === undefined) return;
      counts.bytes += layer.size - layer.bytes;
      layer.bytes = layer.size;
      view.layerDone(digest, layer);
    },
    at: digest => counts.layers.get(digest)?.bytes ?? 0,
    others(beat, text) {
      if (theirs !== undefined && beat > theirs) counts.arrived += beat - theirs;
      theirs = beat;
      view.others(text === '' ? 'asking the registry' : text);
    },
    waiting: text => view.waiting(text),
    beat(other = false) {
      if (other) counts.theirBeats++;
      else counts.beats++;
      view.changed();
    },
    state: () => published(host, counts),
    end: () => view.end(),
  };
}

function newCounts(): Counts {
  return {
    label: '',
    arrived: 0,
    beats: 0,
    theirBeats: 0,
    layers: new Map(),
    active: new Map(),
    done: 0,
    total: 0,
    bytes: 0,
    meter: makeMeter(),
  };
}

function place(counts: Counts, digest: Digest, layer: Counted, bytes: number): void {
  counts.active.set(digest, layer);
  counts.bytes += bytes - layer.bytes;
  layer.bytes = bytes;
}

/** For those who follow us without what we only heard: two who follow each other would be each other's reason to wait. */
function published(host: Host, counts: Counts): { bytes: number; beat: number; text: string } {
  return { bytes: counts.arrived, beat: counts.arrived + counts.beats, text: statusText(stateOf(host, counts)) };
}

function stateOf(host: Host, counts: Counts): PullState {
  return {
    label: counts.label,
    layers: counts.layers.size,
    layersDone: counts.done,
    total: counts.total,
    bytes: counts.bytes,
    rate: counts.meter.rate(host.now()),
    others: counts.active.size > 0 && [...counts.active.values()].every(layer => layer.other),
  };
}

interface View {
  begin(): void;
  changed(): void;
  layerDone(digest: Digest, layer: Counted): void;
  /** From now on another pull's layer is looked at. */
  follows(digest: Digest): void;
  others(text: string): void;
  waiting(text: string): void;
  end(): void;
}

const QUIET: View = {
  begin: () => undefined,
  changed: () => undefined,
  layerDone: () => undefined,
  follows: () => undefined,
  others: () => undefined,
  waiting: () => undefined,
  end: () => undefined,
};

const VIEWS: Readonly<Record<ProgressKind, (host: Host, counts: Counts, size: () => TerminalSize) => View>> = {
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
    follows: digest => say(`layer ${shortDigest(digest)}: another pull brings it`),
    others: text => {
      if (told === '') say(`another pull of it is running: ${text}`);
      told = text;
    },
  };
}

/** For the launcher (run/fetch.ts): `BEAT TEXT`, at most one line a second. */
function reportView(host: Host, counts: Counts): View {
  let last = 0;
  const tell = (text: string): void => {
    last = host.now();
    host.write(1, `${counts.arrived + counts.beats + counts.theirBeats} ${text}\n`);
  };
  const tellOwn = (): void => tell(statusText(stateOf(host, counts)));
  return {
    ...QUIET,
    begin: tellOwn,
    changed: () => {
      if (host.now() - last >= 1) tellOwn();
    },
    layerDone: tellOwn,
    others: tell,
    waiting: tell,
  };
}

const FRAME = 0.1;

/** Finished layers scroll away; those that move and one line for all are drawn again in their place. */
function barsView(host: Host, counts: Counts, size: () => TerminalSize): View {
  const lines = liveLines(host, size);
  let last = 0;
  const draw = (): void => {
    const { columns } = size();
    // Ours first: those that others bring may be more than there are rows.
    const active = [...counts.active].sort(([, a], [, b]) => Number(a.other) - Number(b.other));
    const bars = active.map(([digest, layer]) => barLine(shortDigest(digest), layer, columns));
    lines.draw([...bars, statusText(stateOf(host, counts))]);
    last = host.now();
  };
  return {
    ...QUIET,
    begin: draw,
    changed: () => {
      if (host.now() - last >= FRAME) draw();
    },
    layerDone: (digest, layer) => {
      lines.clear();
      host.write(2, `${shortDigest(digest)} ${sizeWord(layer.size)}\n`);
      draw();
    },
    others: text => lines.draw([`another pull: ${text}`]),
    waiting: text => lines.draw([text]),
    end: () => lines.clear(),
  };
}

function shortDigest(digest: Digest): string {
  return digest.slice(7, 19);
}
