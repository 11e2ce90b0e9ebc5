import { WAIT } from '../command/options-container.ts';
import { allValues, isSet } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { findContainer, openPayload, requireContainer, type Container } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { statusOf } from '../run/finish.ts';
import type { ContainerState } from '../run/state.ts';
import { rowOf, stateWord } from './container-rows.ts';
import { forEachOperand, verb } from './edge.ts';
import { unitEnd } from './unit-end.ts';

type Found = Container & { readonly state: ContainerState };

/** `berth wait`: blocks until the payload is gone and prints its exit status, which systemd knows. */
export const main: (host: Host) => number = verb(WAIT, (host, command) => {
  const conditions = allValues(command, 'condition').flatMap(value => value.split(','));
  for (const condition of conditions)
    if (![...ENDS, ...STATES].includes(condition))
      throw new Failure(125, `--condition ${condition}: use ${[...ENDS, ...STATES].join(', ')}`);
  const states = conditions.filter(condition => STATES.includes(condition));
  const orEnd = states.length === 0 || conditions.length > states.length;
  return forEachOperand(host, command.operands, word => {
    if (isSet(command, 'ignore') && findContainer(host, word)?.state === undefined) {
      host.write(1, '-1\n');
      return 0;
    }
    host.write(1, `${statusIn(host, requireContainer(host, word), states, orEnd)}\n`);
    return 0;
  });
});

/** Those of a container whose process is gone. */
const ENDS = ['stopped', 'exited', 'removing'];
const STATES = ['created', 'running', 'paused', 'healthy', 'unhealthy'];

/**
 * -1 once it is in one of the states, or the status of its end. Its process is held meanwhile: what goes with its end (--rm) has a
 * status, too. One that `create` made is looked up again until it has one.
 */
function statusIn(host: Host, first: Found, states: readonly string[], orEnd: boolean): number {
  const { name } = first;
  for (let found = first; ; found = requireContainer(host, name)) {
    if (isIn(host, found, states)) return -1;
    if (found.state.pid === 0) {
      host.poll([], PAUSE_MS);
      continue;
    }
    const pidfd = openPayload(host, found.state);
    try {
      while (pidfd !== undefined && states.length > 0 && host.poll([pidfd], PAUSE_MS).length === 0)
        if (isIn(host, found, states)) return -1;
      if (orEnd) return endOf(host, found, pidfd);
    } finally {
      if (pidfd !== undefined) host.close(pidfd);
    }
    throw new Failure(125, `${name}: has ended, and was not ${states.join(' or ')} before`);
  }
}

function isIn(host: Host, { state, bundle }: Found, states: readonly string[]): boolean {
  if (states.length === 0) return false;
  const row = rowOf(host, state, bundle);
  const word = stateWord(row);
  return word !== 'exited' && (states.includes(word) || states.includes(row.health));
}

/** Linux 6.15 tells the status of any process by its pidfd; before that systemd is asked, or who cleans up notes it. */
function endOf(host: Host, found: Found, pidfd: number | undefined): number {
  if (pidfd === undefined) return noted(host, found);
  const [major = 0, minor = 0] = host
    .kernelRelease()
    .split('.')
    .map(part => Number.parseInt(part, 10));
  if (major > 6 || (major === 6 && minor >= 15)) return statusOf(host.attend({ pidfd }, { forward: [], child: false }));
  host.poll([pidfd], -1);
  return noted(host, found);
}

const PAUSE_MS = 50;
const TRIES = 40;

/** What is noted of an end; -1 when nobody knows (any more). systemd may take a moment to collect its child, and who cleans up to note it. */
function noted(host: Host, { state, bundle }: Found): number {
  for (let tries = 0; tries < TRIES; tries++) {
    const { status, isMain, isNoted } = unitEnd(host, state, bundle);
    if (status !== undefined) return status;
    if (isNoted || (!isMain && host.lstat(bundle) === undefined)) return -1;
    host.poll([], PAUSE_MS);
  }
  return -1;
}
