import { WAIT } from '../command/options-container.ts';
import { allValues, isSet } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { findContainer, openPayload, requireContainer } from '../run/containers.ts';
import { readExit } from '../run/exit-record.ts';
import { Failure } from '../run/failure.ts';
import { statusOf } from '../run/finish.ts';
import type { ContainerState } from '../run/state.ts';
import { forEachOperand, verb } from './edge.ts';

/** `berth wait`: blocks until the payload is gone and prints its exit status, which systemd knows. */
export const main: (host: Host) => number = verb(WAIT, (host, command) => {
  for (const condition of allValues(command, 'condition').flatMap(value => value.split(','))) {
    if (!['stopped', 'exited', 'removing'].includes(condition)) {
      throw new Failure(125, `--condition ${condition}: only stopped, exited and removing can be waited for`);
    }
  }
  return forEachOperand(host, command.operands, word => {
    if (isSet(command, 'ignore') && findContainer(host, word)?.state === undefined) {
      host.write(1, '-1\n');
      return 0;
    }
    const { state, bundle } = requireContainer(host, word);
    host.write(1, `${endOf(host, state, bundle)}\n`);
    return 0;
  });
});

/** Linux 6.15 tells the status of any process by its pidfd; before that systemd is asked, or who cleans up notes it. */
function endOf(host: Host, state: ContainerState, bundle: string): number {
  const [major = 0, minor = 0] = host
    .kernelRelease()
    .split('.')
    .map(part => Number.parseInt(part, 10));
  const pidfd = openPayload(host, state);
  if (pidfd === undefined) return readExit(host, bundle)?.status ?? exitStatus(host, state);
  try {
    if (major > 6 || (major === 6 && minor >= 15))
      return statusOf(host.attend({ pidfd }, { forward: [], child: false }));
    host.poll([pidfd], -1);
  } finally {
    host.close(pidfd);
  }
  for (let tries = 0; tries < 40; tries++) {
    const status = exitStatus(host, state);
    const noted = status < 0 ? readExit(host, bundle) : { status };
    if (noted !== undefined) return noted.status ?? -1;
    host.poll([], 50);
  }
  return -1;
}

/** ExecMainStatus= of the unit; 128 + N for signal N; -1 when systemd does not know (any more). */
function exitStatus(host: Host, state: ContainerState): number {
  if (!state.unit.endsWith('.service')) return -1;
  const shown = host.run({
    argv: [
      'systemctl',
      ...(state.manager === 'user' ? ['--user'] : []),
      'show',
      '--property=ExecMainPID,ExecMainCode,ExecMainStatus',
      state.unit,
    ],
    environment: host.environmentList(),
    stdout: 'capture',
    stderr: 'capture',
  });
  const values = new Map(shown.stdout.split('\n').map(line => line.split('=') as [string, string]));
  if (values.get('ExecMainPID') !== String(state.pid)) return -1;
  const status = Number(values.get('ExecMainStatus') ?? '-1');
  // CLD_EXITED is 1 (waitid(2)); 2 and 3 are ends by a signal.
  return values.get('ExecMainCode') === '1' ? status : 128 + status;
}
