import type { Host } from '../host/host.ts';
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
