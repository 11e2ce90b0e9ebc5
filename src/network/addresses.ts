import type { Host } from '../host/host.ts';
import { joinGroups } from './ipv6-text.ts';

/** IPv4 and global IPv6 addresses of a process's network namespace, without loopback, from /proc/PID/net (proc_pid_net(5)). */
export function addressesOf(host: Host, pid: number): string[] {
  const trie = host.readFileIfExists(`/proc/${pid}/net/fib_trie`) ?? '';
  const six = host.readFileIfExists(`/proc/${pid}/net/if_inet6`) ?? '';
  return [...localAddresses4(trie), ...globalAddresses6(six)];
}

/** In fib_trie an address line `|-- A.B.C.D` is followed by `/32 host LOCAL` when it is our own. */
export function localAddresses4(trie: string): string[] {
  const found: string[] = [];
  let address = '';
  for (const line of trie.split('\n')) {
    const at = line.indexOf('|-- ');
    if (at >= 0) address = line.slice(at + 4).trim();
    else if (line.includes('/32 host LOCAL') && !address.startsWith('127.') && !found.includes(address)) {
      found.push(address);
    }
  }
  return found;
}

/** Lines of if_inet6: 32 digits, index, prefix length, scope (00: global), flags, interface. */
export function globalAddresses6(text: string): string[] {
  const found: string[] = [];
  for (const line of text.split('\n')) {
    const [digits = '', , , scope] = line.split(/ +/);
    if (digits.length === 32 && scope === '00') found.push(shortAddress6(digits));
  }
  return found;
}

function shortAddress6(digits: string): string {
  const groups: string[] = [];
  for (let i = 0; i < 32; i += 4) groups.push(parseInt(digits.slice(i, i + 4), 16).toString(16));
  return joinGroups(groups);
}
