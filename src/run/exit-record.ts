import type { Host } from '../host/host.ts';
import { readSignal } from '../plan/parse-values.ts';

/** How a container's payload ended: BUNDLE/exit.json. Who cleans up behind the payload writes it; systemd forgets a transient unit. */
export interface ExitRecord {
  /** 128 + N for signal N; absent: nobody saw it. */
  readonly status?: number;
  /** What killed it; absent, too, in records of older versions. */
  readonly signal?: number;
  readonly outOfMemory: boolean;
  /** Seconds since the epoch. */
  readonly finished: number;
}

export function writeExit(host: Host, bundle: string, record: ExitRecord): void {
  host.writeFileAtomic(`${bundle}/exit.json`, JSON.stringify(record), 0o600);
}

/** Undefined: it runs, or nobody was there at its end. */
export function readExit(host: Host, bundle: string): ExitRecord | undefined {
  const text = host.readFileIfExists(`${bundle}/exit.json`);
  return text === undefined ? undefined : (JSON.parse(text) as ExitRecord);
}

/** What systemd tells ExecStopPost= of the main process (systemd.exec(5): $EXIT_CODE, $EXIT_STATUS, $SERVICE_RESULT). */
export function exitOfUnit(host: Host): ExitRecord {
  const told = host.environment('EXIT_STATUS') ?? '';
  const exited = host.environment('EXIT_CODE') === 'exited';
  const signal = exited ? undefined : readSignal(told);
  const status = exited ? Number(told) : signal === undefined ? undefined : 128 + signal;
  return {
    ...(status === undefined ? {} : { status }),
    ...(signal === undefined ? {} : { signal }),
    outOfMemory: host.environment('SERVICE_RESULT') === 'oom-kill',
    finished: host.now(),
  };
}
