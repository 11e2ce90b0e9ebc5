import type { Files } from '../host/host.ts';

/** Bits of capabilities(7). */
const BITS: Readonly<Record<string, number>> = {
  CAP_DAC_OVERRIDE: 1,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_NET_ADMIN: 12,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
};

/** What a start of root cannot do without; the generator has the same list in quadlet/sandbox.ts. */
export { ROOT_NEEDS } from '../quadlet/sandbox.ts';

/** proc_pid_status(5) of ourselves. */
export function statusOf(host: Pick<Files, 'readFile'>): string {
  return host.readFile('/proc/self/status');
}

/** Those of the named capabilities that a mask of /proc/self/status (`CapBnd`, `CapEff`) lacks. */
export function lacking(status: string, mask: string, names: readonly string[]): string[] {
  // All of them are in the low 32 bits.
  const bits = Number.parseInt(fieldOf(status, mask).slice(-8), 16);
  return names.filter(name => ((bits >>> (BITS[name] ?? 31)) & 1) === 0);
}

export function fieldOf(status: string, key: string): string {
  const at = status.indexOf(`\n${key}:`);
  return at < 0 ? '' : status.slice(at + key.length + 2, status.indexOf('\n', at + 1)).trim();
}
