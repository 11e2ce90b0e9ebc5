import { joinGroups } from './ipv6-text.ts';
import { isAddress4, isAddress6 } from '../plan/parse-ports.ts';

/** An address of either family as a number, so that ranges are arithmetic. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Subnet {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
  readonly prefix: number;
}

export function parseAddress(text: string): Address | undefined {
  if (isAddress4(text))
    return { family: 4, value: text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  if (!isAddress6(text) || text.includes('.') || text.includes('%')) return undefined;
  const [left = '', right] = text.split('::');
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'));
  const [before, after] = [groups(left), groups(right ?? '')];
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  const value = [...before, ...zeros, ...after].reduce((sum, group) => sum * 65536n + BigInt(parseInt(group, 16)), 0n);
  return { family: 6, value };
}

/** IPv6 as RFC 5952 writes it. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map(shift => String((value >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 65535n).toString(16));
  return joinGroups(groups);
}

/** `10.1.0.0/24`; bits of the host part are dropped. undefined when it is no subnet. */
export function parseSubnet(text: string): Subnet | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(text.slice(0, Math.max(slash, 0)));
  const digits = text.slice(slash + 1);
  if (address === undefined || !/^\d{1,3}$/.test(digits)) return undefined;
  const prefix = Number(digits);
  const bits = address.family === 4 ? 32 : 128;
  if (prefix > bits) return undefined;
  const size = 1n << BigInt(bits - prefix);
  const first = (address.value / size) * size;
  return { family: address.family, first, last: first + size - 1n, prefix };
}

export function formatSubnet({ family, first, prefix }: Subnet): string {
  return `${formatAddress({ family, value: first })}/${prefix}`;
}

export function contains(subnet: Subnet, address: Address): boolean {
  return subnet.family === address.family && address.value >= subnet.first && address.value <= subnet.last;
}

export function overlap(one: Subnet, other: Subnet): boolean {
  return one.family === other.family && one.first <= other.last && other.first <= one.last;
}
