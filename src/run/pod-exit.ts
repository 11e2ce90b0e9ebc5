import type { Host } from '../host/host.ts';
import { findContainer, isRunning, openPayload } from './containers.ts';
import type { Context } from './context.ts';
import { membersOf, readPod } from './pods.ts';

const SIGTERM = 15;

/**
 * `ExitPolicy=stop`: when the last member has ended and does not come back, the holder ends as well, cleanly, so that `Restart=on-failure` leaves the
 * pod alone. Called by what removes a member; in a unit systemd knows whether that unit starts again.
 */
export function endEmptyPod(host: Host, context: Context, store: string, podName: string): void {
  const pod = readPod(host, store, podName);
  if (pod === undefined || pod.exitPolicy !== 'stop') return;
  const holder = findContainer(host, pod.infraName)?.state;
  if (holder === undefined || !isRunning(host, holder)) return;
  if (membersOf(host, pod).members.some(one => one.state === undefined || isRunning(host, one.state))) return;
  if (context.inUnit && comesBack(host, context)) return;
  const pidfd = openPayload(host, holder);
  if (pidfd === undefined) return;
  host.signal(pidfd, SIGTERM);
  host.close(pidfd);
}

/** A job of systemd to start it again, or Restart= and how the service ended (systemd.service(5)). */
function comesBack(host: Host, context: Context): boolean {
  const systemctl = ['systemctl', ...(context.own.manager === 'user' ? ['--user'] : []), '--no-pager'];
  const ask = (words: string[]): string =>
    host.run({
      argv: [...systemctl, ...words],
      environment: host.environmentList(),
      stdout: 'capture',
      stderr: 'capture',
    }).stdout;
  const { unit } = context.own;
  const jobs = ask(['list-jobs', '--no-legend', '--plain'])
    .split('\n')
    .map(line => line.trim().split(/\s+/));
  const job = jobs.find(words => words[1] === unit)?.[2];
  if (job !== undefined) return job !== 'stop';
  const restart = ask(['show', '--value', '--property=Restart', unit]).trim();
  const result = host.environment('SERVICE_RESULT') ?? 'success';
  switch (restart) {
    case 'always':
      return true;
    case 'on-success':
      return result === 'success';
    case 'on-failure':
      return result !== 'success';
    case 'on-abnormal':
      return result !== 'success' && result !== 'exit-code';
    case 'on-abort':
      return result === 'signal' || result === 'core-dump';
    case 'on-watchdog':
      return result === 'watchdog';
    default:
      return false;
  }
}
