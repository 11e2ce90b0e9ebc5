import { cut, readDigits, readId } from './parse-values.ts';
import type { SpecIdMapping } from './spec.ts';

/**
 * The `--uidmap` and `--gidmap` language of podman-run(1): `[+][u][g]CONTAINER:[@]FROM[:AMOUNT]`.
 *
 * FROM is an id of the intermediate space: for an account 0 is the account itself and 1… its subordinate ids; for root it
 * is the host's. `@` names a host id instead. `+` takes the ids of an earlier line away and fills what is left.
 */
export interface MapEntry {
  readonly inside: number;
  readonly from: number;
  readonly count: number;
  readonly extend: boolean;
  /** FROM is a host id. */
  readonly host: boolean;
  /** undefined: both. */
  readonly only?: 'uid' | 'gid';
}

/** undefined when it is not of the form. */
export function readMapEntry(text: string): MapEntry | undefined {
  let at = 0;
  let extend = false;
  let user = false;
  let group = false;
  for (; at < text.length; at++) {
    const c = text.charAt(at);
    if (c === '+') extend = true;
    else if (c === 'u') user = true;
    else if (c === 'g') group = true;
    else break;
  }
  const [first, rest = ''] = cut(text.slice(at), ':');
  const [second, amount = '1'] = cut(rest, ':');
  const host = second.startsWith('@');
  const inside = readId(first);
  const from = readId(host ? second.slice(1) : second);
  const count = readId(amount);
  if (inside === undefined || from === undefined || count === undefined || count === 0) return undefined;
  if (inside + count > 4294967295 || from + count > 4294967295) return undefined;
  const entry = { inside, from, count, extend, host };
  return user === group ? entry : { ...entry, only: user ? 'uid' : 'gid' };
}

/** Composes a map of container ids to intermediate ids with one of these to host ids; an id that is not there is the error. */
export function compose(
  map: readonly SpecIdMapping[],
  intermediate: readonly SpecIdMapping[],
): SpecIdMapping[] | { readonly missing: number } {
  const out: SpecIdMapping[] = [];
  for (const line of map) {
    let done = 0;
    while (done < line.size) {
      const id = line.hostID + done;
      const under = find(intermediate, id);
      if (under === undefined) return { missing: id };
      const offset = id - under.containerID;
      const size = Math.min(line.size - done, under.size - offset);
      append(out, { containerID: line.containerID + done, hostID: under.hostID + offset, size });
      done += size;
    }
  }
  return out;
}

/** The mapping of an id inside, by its inside number. */
export function find(map: readonly SpecIdMapping[], id: number): SpecIdMapping | undefined {
  return map.find(line => id >= line.containerID && id < line.containerID + line.size);
}

/** Host id of an id inside; undefined when it is not mapped. */
export function toHost(map: readonly SpecIdMapping[], id: number): number | undefined {
  const line = find(map, id);
  return line === undefined ? undefined : line.hostID + id - line.containerID;
}

/** Id inside of a host id; undefined when it is not mapped. */
export function fromHost(map: readonly SpecIdMapping[], id: number): number | undefined {
  const line = map.find(one => id >= one.hostID && id < one.hostID + one.size);
  return line === undefined ? undefined : line.containerID + id - line.hostID;
}

/** Adds a line, joined to the last one where both go on without a gap. */
export function append(map: SpecIdMapping[], line: SpecIdMapping): void {
  if (line.size <= 0) return;
  const last = map.at(-1);
  if (last && last.containerID + last.size === line.containerID && last.hostID + last.size === line.hostID) {
    last.size += line.size;
  } else map.push({ ...line });
}

/** Takes away what lies in [start, start + size) of the inside ids or of the outer ids. */
export function without(
  map: readonly SpecIdMapping[],
  key: 'containerID' | 'hostID',
  start: number,
  size: number,
): SpecIdMapping[] {
  const out: SpecIdMapping[] = [];
  for (const line of map) {
    const before = Math.min(line.size, Math.max(0, start - line[key]));
    const skip = Math.min(line.size, Math.max(0, start + size - line[key]));
    if (before > 0) out.push({ ...line, size: before });
    if (skip < line.size && skip >= before) {
      out.push({ containerID: line.containerID + skip, hostID: line.hostID + skip, size: line.size - skip });
    }
  }
  return out;
}

/** Ids of two lines overlap on one side: the kernel refuses such a map with EINVAL. */
export function hasOverlap(map: readonly SpecIdMapping[]): boolean {
  const meets = (a: number, b: number, x: number, y: number): boolean => a < y && x < b;
  return map.some((a, i) =>
    map.some(
      (b, j) =>
        i < j &&
        (meets(a.containerID, a.containerID + a.size, b.containerID, b.containerID + b.size) ||
          meets(a.hostID, a.hostID + a.size, b.hostID, b.hostID + b.size)),
    ),
  );
}

/** A map to host ids as one to the ids of another map; undefined when that lacks some. The kernel takes no line that spans two of that map. */
export function relative(map: readonly SpecIdMapping[], outer: readonly SpecIdMapping[]): SpecIdMapping[] | undefined {
  const out: SpecIdMapping[] = [];
  for (const line of map) {
    for (let done = 0; done < line.size;) {
      const id = line.hostID + done;
      const under = outer.find(one => id >= one.hostID && id < one.hostID + one.size);
      const found = fromHost(outer, id);
      if (under === undefined || found === undefined) return undefined;
      const size = Math.min(line.size - done, under.hostID + under.size - id);
      out.push({ containerID: line.containerID + done, hostID: found, size });
      done += size;
    }
  }
  return out;
}

/** `A-B-N` of an id-mapped mount. */
export function readTriple(text: string): SpecIdMapping | undefined {
  const [first, second, third, ...more] = text.split('-').map(word => readDigits(word, 4294967295));
  if (first === undefined || second === undefined || third === undefined || third === 0 || more.length > 0)
    return undefined;
  return { containerID: first, hostID: second, size: third };
}
