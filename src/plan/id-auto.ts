import type { PlanContext } from './context.ts';
import { append, compose, relative, readMapEntry, without } from './id-maps.ts';
import { readDigits } from './parse-values.ts';
import type { SpecIdMapping } from './spec.ts';
import type { IdRange } from './types.ts';

/** As Podman's: the smallest map, and an id that stands for nobody (storage.conf(5), auto-userns-min-size). */
const LEAST = 1024;
const NOBODY = 65534;

/**
 * `--userns auto`: a range that no other container has, as large as the image's users and groups need. Root's come from the
 * subordinate ids of `containers`, an account's from its own. A text says why there is none. `base`: see ids.ts.
 */
export function autoMap(
  context: PlanContext,
  side: 'uid' | 'gid',
  base: readonly SpecIdMapping[],
): SpecIdMapping[] | string {
  const { request, facts } = context;
  const { userns } = request;
  const file = `/etc/sub${side}`;
  if (userns.kind !== 'auto' || facts.auto === undefined) return 'the ids are not known';
  const { ranges, used } = facts.auto[side];
  if (ranges.length === 0)
    return `${file} gives no ids to ${facts.uid === 0 ? 'containers; add a line containers:2147483647:2147483648' : facts.userName}`;
  const fixed = (side === 'uid' ? userns.uidMaps : userns.gidMaps)
    .map(readMapEntry)
    .filter(entry => entry !== undefined)
    .map(({ inside, from, count }) => ({ containerID: inside, hostID: from, size: count }));
  const size = userns.size ?? neededIds(context);
  let inside: SpecIdMapping[] = [{ containerID: 0, hostID: 0, size }];
  for (const line of fixed) inside = without(inside, 'containerID', line.containerID, line.size);
  const wanted = inside.reduce((sum, line) => sum + line.size, 0);
  const taken = compose(fixed, base);
  const others = 'missing' in taken ? [] : taken.map(line => ({ start: line.hostID, count: line.size }));
  const start = firstFree(ranges, [...used, ...others], wanted);
  if (start === undefined) {
    const why = firstFree(ranges, [], wanted) === undefined ? 'no range is so large' : 'other containers have them';
    return `no ${wanted} ids in a row are free in ${file}; ${why}`;
  }
  const map: SpecIdMapping[] = [...fixed];
  let next = start;
  for (const line of inside) {
    const found = relative([{ containerID: line.containerID, hostID: next, size: line.size }], base);
    if (found === undefined) return `${file} has ids that do not exist in our user namespace`;
    for (const one of found) append(map, one);
    next += line.size;
  }
  return map.sort((a, b) => a.containerID - b.containerID);
}

/** The highest id of the image's users and groups, and of the payload, with all below it. */
function neededIds({ request, facts }: PlanContext): number {
  let most = LEAST;
  const see = (text: string | undefined): void => {
    const id = readDigits(text ?? '', NOBODY - 1);
    if (id !== undefined) most = Math.max(most, id + 1);
  };
  for (const line of facts.passwd.split('\n')) for (const field of line.split(':').slice(2, 4)) see(field);
  for (const line of facts.group.split('\n')) see(line.split(':')[2]);
  for (const word of (request.user ?? '').split(':')) see(word);
  return most;
}

function firstFree(ranges: readonly IdRange[], used: readonly IdRange[], count: number): number | undefined {
  for (const range of ranges) {
    let start = range.start;
    // Each step leaves one used range behind.
    for (let other = meets(used, start, count); other !== undefined; other = meets(used, start, count))
      start = other.start + other.count;
    if (start + count <= range.start + range.count) return start;
  }
  return undefined;
}

function meets(used: readonly IdRange[], start: number, count: number): IdRange | undefined {
  return used.find(range => range.start < start + count && start < range.start + range.count);
}
