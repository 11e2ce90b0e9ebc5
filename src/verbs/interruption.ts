/** Ctrl-C, a stop and a terminal that is closed leave nothing behind: what was begun is removed before the end, which is by the signal. */
export function awaitInterruption(): { signal: AbortSignal; dieOfIt: () => void } {
  const stop = new AbortController();
  let came: NodeJS.Signals | undefined;
  const take = (signal: NodeJS.Signals): void => {
    came ??= signal;
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, take);
  const dieOfIt = (): void => {
    if (came !== undefined) process.kill(process.pid, came);
  };
  return { signal: stop.signal, dieOfIt };
}
