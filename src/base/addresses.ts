/**
 * Whether two sockets of one port, on these addresses, would be in each other's way. Empty is all of both families; `0.0.0.0` is all of IPv4, and
 * `::`, on which our sockets are for IPv6 alone, all of that.
 */
export function addressesMeet(one: string, other: string): boolean {
  return one === other || hasAll(one, other) || hasAll(other, one);
}

const hasAll = (one: string, other: string): boolean =>
  one === '' || (one === '0.0.0.0' && !other.includes(':')) || (one === '::' && other.includes(':'));
