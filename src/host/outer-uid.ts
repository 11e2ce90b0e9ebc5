import type { Host } from './host.ts';

/**
 * Our effective uid as the initial user namespace sees it: a rootless podman calls its OCI runtime as root of a user
 * namespace, while systemd and the bus know the account behind it. Our own when the map does not tell.
 */
export function outerUid(host: Host): number {
  for (const line of (host.readFileIfExists('/proc/self/uid_map') ?? '').split('\n')) {
    const [inside = NaN, outside = NaN, count = NaN] = line.trim().split(/\s+/).map(Number);
    if (host.euid >= inside && host.euid < inside + count) return outside + host.euid - inside;
  }
  return host.euid;
}
