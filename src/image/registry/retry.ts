import { setTimeout as sleep } from 'node:timers/promises';
import { isUnreachable, RegistryError } from './error.ts';

export interface RetryRules {
  /** Tries after the first. */
  readonly retry: number;
  /** Seconds before the second try; doubled for each further one, with jitter, at most a minute. */
  readonly delay: number;
  /** Seconds: rather than wait longer it gives up. */
  readonly longest: number;
  readonly waiting: (text: string) => void;
  readonly signal: AbortSignal | undefined;
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
}

/**
 * Does something until it succeeds, fails for good, or the tries are used up. `progressed` says that a failed try has brought enough
 * that the count starts again: a line that breaks after every few megabytes still gets there.
 */
export async function withRetries<T>(
  rules: RetryRules,
  action: () => Promise<T>,
  progressed = () => false,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await action();
    } catch (error) {
      if (!isUnreachable(error) || rules.signal?.aborted === true) throw error;
      if (progressed()) failures = 1;
      const seconds = waitBefore(rules, failures, error as RegistryError);
      if (failures > rules.retry || seconds > rules.longest) throw error;
      rules.waiting(
        `${(error as RegistryError).message}; trying again in ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`,
      );
      await pause(seconds, rules.signal);
    }
  }
}

/** Half of the time is fixed, half is chance: clients that failed together do not come back together. */
export function waitBefore(
  rules: Pick<RetryRules, 'delay' | 'random'>,
  failures: number,
  error: Pick<RegistryError, 'after'>,
): number {
  const doubled = Math.min(60, rules.delay * 2 ** (failures - 1));
  return Math.max(doubled * (0.5 + rules.random() / 2), error.after ?? 0);
}

async function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(seconds * 1000, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw new RegistryError('aborted', 'given up');
  }
}
