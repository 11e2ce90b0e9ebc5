import { HostError, type Host } from '../host/host.ts';
import { sendTo } from './bundle-sockets.ts';
import type { ContainerState } from './state.ts';

/** What the relay has written: the form of `podman inspect`'s State.Health. */
export interface HealthResults {
  readonly Status: 'starting' | 'healthy' | 'unhealthy';
  readonly FailingStreak: number;
  readonly Log: readonly {
    /** RFC 3339. */
    readonly Start: string;
    readonly End: string;
    readonly ExitCode: number;
    readonly Output: string;
  }[];
}

/** Lets the relay make a check now, with all that follows from it; false where none is there that could be asked. */
export function askForCheck(host: Host, bundle: string): boolean {
  try {
    sendTo(host, bundle, 'ask');
    return true;
  } catch (error) {
    if (error instanceof HostError && ['ENOENT', 'ECONNREFUSED'].includes(error.code)) return false;
    throw error;
  }
}

/** undefined: the container has no checks, or their results are gone. */
export function readHealth(host: Host, state: ContainerState): HealthResults | undefined {
  if (state.health === undefined) return undefined;
  const text = host.readFileIfExists(state.health.log);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as HealthResults;
  } catch {
    return undefined;
  }
}
