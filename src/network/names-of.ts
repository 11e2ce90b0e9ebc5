import type { ContainerState } from '../run/state.ts';
import type { Attachment } from './ipam.ts';
import type { BridgeData } from './users.ts';

/** The networks that a container is in; of one that has ended those that it was started in. */
export function networkNamesOf(
  attachments: Readonly<Record<string, Attachment>>,
  { network }: ContainerState,
  bundle: string,
  running: boolean,
): string[] {
  if (network.kind !== 'bridge') return [];
  if (!running) return [...((network.data as BridgeData | undefined)?.networks ?? [])];
  const ours = Object.values(attachments).filter(one => one.bundle === bundle);
  return ours.flatMap(one => Object.keys(one.networks));
}
