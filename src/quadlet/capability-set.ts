import type { Bytes } from '../host/host.ts';
import type { Entry } from '../unit/document.ts';
import { splitWords } from '../unit/values.ts';

/**
 * A capability set of systemd.exec(5), as all assignments of `key` together say: they add up, `~` takes away, empty clears (an empty
 * bounding set allows nothing). The result names those of a list that the set lacks; undefined: the key is absent.
 */
export function capabilitiesOf(
  entries: readonly Entry[],
  key: Bytes,
): ((names: readonly string[]) => string[]) | undefined {
  let set: Set<string> | undefined;
  let inverted = false;
  for (const entry of entries) {
    if (entry.key !== key) continue;
    const negative = entry.value.startsWith('~');
    const words = splitWords(negative ? entry.value.slice(1) : entry.value).words.map(word => word.toUpperCase());
    if (set === undefined || words.length === 0) {
      set = new Set(words);
      inverted = negative;
    } else {
      for (const word of words) {
        if (negative === inverted) set.add(word);
        else set.delete(word);
      }
    }
  }
  const known = set;
  if (known === undefined) return undefined;
  return names => names.filter(name => known.has(name) === inverted);
}
