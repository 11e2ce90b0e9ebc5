import type { Host } from '../host/host.ts';
import { listContainers } from '../run/containers.ts';
import type { ContainerState } from '../run/state.ts';
import { readState } from './ipam.ts';

/** Kept in state.json: which attachment is the container's, and to what it was attached (absent in states of older versions) or is to be. */
export interface BridgeData {
  readonly bundle: string;
  readonly networks?: readonly string[];
}

/**
 * Names of the containers of a network: those that are attached, without those that a crash left, and those that their next start attaches;
 * one of --rm that has ended has none.
 */
export function usersOf(host: Host, network: string): string[] {
  const attached = Object.values(readState(host).attachments)
    .filter(one => one.networks[network] !== undefined && host.lstat(one.bundle) !== undefined)
    .map(one => one.bundle.split('/').at(-1) ?? '');
  const others = listContainers(host)
    .filter(({ state }) => state !== undefined && starts(state) && namesOf(state).includes(network))
    .map(({ name }) => name);
  return [...new Set([...attached, ...others])];
}

const starts = ({ remove, pid }: ContainerState): boolean => !remove || pid === 0;

const namesOf = ({ network }: ContainerState): readonly string[] =>
  (network.data as Partial<BridgeData> | undefined)?.networks ?? [];
