import type { Host } from '../host/host.ts';
import { canPlace } from '../run/join.ts';
import { expectMove } from '../run/place.ts';
import type { ContainerState } from '../run/state.ts';
import { PARTS } from './parts.ts';

/** systemd puts a process where we may not; the connection is made, and the kernel prepares for the move, while we read on. undefined: it is not needed. */
export function attacher(
  host: Host,
  { manager, unit }: ContainerState,
  group: string,
): ((pid: number) => void) | undefined {
  if (group === '' || canPlace(host, group) || unit === '' || manager === '') return undefined;
  expectMove(host);
  const link = PARTS.systemd.linkTo(host, manager);
  return pid => {
    link.attach(unit, '/payload', pid);
    link.close();
  };
}
