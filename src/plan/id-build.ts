import { append, fromHost, hasOverlap, readMapEntry, without, type MapEntry } from './id-maps.ts';
import type { SpecIdMapping } from './spec.ts';

/** The kept id is the account; those below move up by one, to subordinate ids, as podman-run(1) has it. `total`: with the account's own. */
export function keepId(kept: number, total: number): SpecIdMapping[] {
  const map: SpecIdMapping[] = [];
  const most = total - 1;
  append(map, { containerID: 0, hostID: 1, size: Math.min(kept, most) });
  append(map, { containerID: kept, hostID: 0, size: 1 });
  append(map, { containerID: kept + 1, hostID: kept + 1, size: most - kept });
  return map;
}

/** Lines for this side: its own; without any, those of the other that are not marked as the other's alone. */
export function entriesOf(uidMaps: readonly string[], gidMaps: readonly string[], side: 'uid' | 'gid'): MapEntry[] {
  const own = side === 'uid' ? uidMaps : gidMaps;
  const other = side === 'uid' ? gidMaps : uidMaps;
  const read = (own.length > 0 ? own : other).map(readMapEntry).filter(entry => entry !== undefined);
  return read.filter(entry => entry.only === undefined || entry.only === side);
}

/**
 * Lines as a map of container ids to intermediate ids; a text says what is wrong. No lines: all `total` ids stay as they are.
 * When the first line has a `+`, the ids that no line names are filled in.
 */
export function buildMap(
  entries: readonly MapEntry[],
  base: readonly SpecIdMapping[],
  total: number,
): SpecIdMapping[] | string {
  if (entries.length === 0) return [{ containerID: 0, hostID: 0, size: total }];
  let map: SpecIdMapping[] = [];
  for (const entry of entries) {
    const lines = resolve(entry, base);
    if (typeof lines === 'string') return lines;
    for (const line of lines) {
      if (entry.extend) {
        map = without(map, 'containerID', line.containerID, line.size);
        map = without(map, 'hostID', line.hostID, line.size);
      }
      map.push(line);
    }
  }
  if (hasOverlap(map)) return 'two lines overlap; put + before the one that shall win';
  map.sort((a, b) => a.containerID - b.containerID);
  return entries[0]?.extend === true ? fill(map, total) : map;
}

/** An entry as lines of intermediate ids; ids after `@` are looked up, range by range. */
function resolve(entry: MapEntry, base: readonly SpecIdMapping[]): SpecIdMapping[] | string {
  if (!entry.host) return [{ containerID: entry.inside, hostID: entry.from, size: entry.count }];
  const lines: SpecIdMapping[] = [];
  for (let done = 0; done < entry.count;) {
    const id = entry.from + done;
    const under = base.find(line => id >= line.hostID && id < line.hostID + line.size);
    const found = fromHost(base, id);
    if (under === undefined || found === undefined) return `the host's id ${id} is not one of this account's`;
    const size = Math.min(entry.count - done, under.hostID + under.size - id);
    append(lines, { containerID: entry.inside + done, hostID: found, size });
    done += size;
  }
  return lines;
}

/** Gives the container ids that are free, from 0 on, the intermediate ids that are left, in order. */
function fill(map: readonly SpecIdMapping[], total: number): SpecIdMapping[] {
  let free: SpecIdMapping[] = [{ containerID: 0, hostID: 0, size: total }];
  for (const line of map) free = without(free, 'hostID', line.hostID, line.size);
  const out: SpecIdMapping[] = [];
  let next = 0;
  const place = (limit: number): void => {
    while (next < limit && free.length > 0) {
      const [first] = free;
      if (first === undefined) return;
      const size = Math.min(first.size, limit - next);
      append(out, { containerID: next, hostID: first.hostID, size });
      free = without(free, 'hostID', first.hostID, size);
      next += size;
    }
  };
  for (const line of map) {
    place(line.containerID);
    append(out, line);
    next = line.containerID + line.size;
  }
  place(Infinity);
  return out;
}
