import { ImageError } from '../error.ts';

/** When a registry is asked: podman-pull(1), --policy. */
export type PullPolicy = 'always' | 'missing' | 'never' | 'newer';

export function parsePolicy(text: string): PullPolicy {
  for (const policy of POLICIES) if (text === policy) return policy;
  throw new ImageError(`--policy ${text}: not one of ${POLICIES.join(', ')}`);
}

const POLICIES: readonly PullPolicy[] = ['always', 'missing', 'never', 'newer'];

/** `usable`: the store has an image of this name for the wanted platform. */
export function asksRegistry(policy: PullPolicy, usable: boolean): boolean {
  return policy === 'always' || policy === 'newer' || (policy === 'missing' && !usable);
}

/** Whether a failed pull is only worth a warning. */
export function toleratesFailure(policy: PullPolicy, usable: boolean): boolean {
  return usable && (policy === 'newer' || policy === 'missing');
}
