/**
 * An IPv6 address as RFC 5952 writes it: the longest run of zero groups as `::`.
 * @param groups eight, in lower case hexadecimal without leading zeros
 */
export function joinGroups(groups: readonly string[]): string {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}
