import { decodeText } from '../base/text.ts';
import type { Bytes } from '../host/host.ts';
import { NETWORK_UNIT } from '../quadlet/dependencies.ts';
import type { Translation } from '../quadlet/translate.ts';
import { entriesOf } from '../unit/document.ts';
import { lex } from '../unit/lexer.ts';
import { splitWords } from '../unit/values.ts';

/** A unit of systemd. */
export interface Node {
  readonly unit: string;
  /** Name of the unit file that it is made of; empty: not one of ours. */
  readonly file: string;
  readonly failed: boolean;
}

/** `from` depends on `to`. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** How: keys of systemd.unit(5), sorted. */
  readonly keys: readonly string[];
}

export interface Picture {
  /** In order of their names. */
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

/** Keys of [Unit] by which a unit depends on another; `true`: the other one on it. */
const KEYS: Readonly<Record<string, boolean>> = {
  Requires: false,
  Requisite: false,
  BindsTo: false,
  PartOf: false,
  Upholds: false,
  Wants: false,
  After: false,
  Before: true,
};

/** What every unit gets of the generator: said once for all, it would hide the rest. */
const USUAL: readonly string[] = ['network-online.target', NETWORK_UNIT];

/**
 * The services of the named files, and all that their [Unit] sections name, step by step. Members of a pod belong to it by `BindsTo=`, so what
 * the pod says of them (`Wants=`, `Before=`) is left out like what every unit waits for, unless `all` wants it.
 */
export function picture(translations: readonly Translation[], named: ReadonlySet<Bytes>, all: boolean): Picture {
  const ours = new Map<string, { node: Node; says: Edge[] }>();
  const waiting: string[] = [];
  for (const { unit, file, failed, text } of translations) {
    if (file === undefined) continue;
    const node = { unit: decodeText(file), file: decodeText(unit.name.name), failed };
    const hidden = all ? [] : [...USUAL, ...unit.members.map(stem => `${decodeText(stem)}.service`)];
    ours.set(node.unit, {
      node,
      says: dependencies(node.unit, text).filter(({ from, to }) => !hidden.includes(from) && !hidden.includes(to)),
    });
    if (named.has(unit.path)) waiting.push(node.unit);
  }
  const drawn = new Set(waiting);
  const edges = new Map<string, Edge>();
  for (const unit of drawn) {
    for (const { from, to, keys } of ours.get(unit)?.says ?? []) {
      const before = edges.get(`${from}\0${to}`)?.keys ?? [];
      edges.set(`${from}\0${to}`, { from, to, keys: [...new Set([...before, ...keys])].sort() });
      drawn.add(from).add(to);
    }
  }
  return {
    nodes: [...drawn].sort(compare).map(unit => ours.get(unit)?.node ?? { unit, file: '', failed: false }),
    edges: [...edges.values()].sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to)),
  };
}

/** Of the generated text, where names of files have become names of services. */
function dependencies(unit: string, text: Bytes): Edge[] {
  const found: { key: string; other: string }[] = [];
  for (const { key, value } of entriesOf(lex('', text), 'Unit')) {
    if (!Object.hasOwn(KEYS, key)) continue;
    // An empty value takes back what was said so far (systemd.unit(5)).
    const words = splitWords(value).words;
    if (words.length === 0) found.splice(0, found.length, ...found.filter(one => one.key !== key));
    for (const word of words) found.push({ key, other: decodeText(word) });
  }
  return found.map(({ key, other }) =>
    KEYS[key] === true ? { from: other, to: unit, keys: ['After'] } : { from: unit, to: other, keys: [key] },
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
