import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { listContainers } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { connectBus, ControlError, type ManagerBus, type Scope } from '../systemd/bus.ts';
import { connectSteadily, type Line } from '../systemd/jobs.ts';
import { becomeAccount } from './for-account.ts';

/** Whose units a command means, and the Host as that account would see it: its directories of unit files are searched. */
export interface Realm {
  readonly scope: Scope;
  readonly host: Host;
}

/**
 * `--system`, `--user`, `--for ACCOUNT`; default: the system for root, the own user manager for everybody else. A number is the exit status
 * of the verb, which was run as another account.
 */
export function realmOf(host: Host, command: Command): Realm | number {
  const account = lastValue(command, 'for');
  const chosen = [isSet(command, 'system'), isSet(command, 'user'), account !== undefined].filter(Boolean).length;
  if (chosen > 1) throw new Failure(125, '--system, --user and --for exclude each other');
  if (account !== undefined) return realmOfAccount(host, account);
  const user = isSet(command, 'user') || (host.uid !== 0 && !isSet(command, 'system'));
  if (!user) return { scope: { kind: 'system' }, host: host.uid === 0 ? host : asSystem(host) };
  return { scope: { kind: 'user', uid: host.uid }, host };
}

function realmOfAccount(host: Host, word: string): Realm | number {
  return becomeAccount(host, word) ?? { scope: { kind: 'user', uid: host.uid }, host };
}

/** A container of an account may be a unit of the system (User=), and that tells everybody of its units. */
export function realmOfUnits(realm: Realm, units: readonly string[]): Realm {
  const known = listContainers(realm.host).filter(({ state }) => state !== undefined && units.includes(state.unit));
  const systems = known.length > 0 && known.every(({ state }) => state?.manager === 'system');
  return systems ? { ...realm, scope: { kind: 'system' } } : realm;
}

/** For a look at units: those of an account whose manager does not run are the system's (User=), if there are any. */
export function realmToSee(realm: Realm, units: readonly string[]): Realm {
  const { scope, host } = realmOfUnits(realm, units);
  const running = scope.kind === 'system' || host.stat(`/run/user/${scope.uid}/bus`) !== undefined;
  return running ? { scope, host } : { scope: { kind: 'system' }, host: asSystem(host) };
}

/** The directories of unit files that the system's manager reads, for somebody who is not root. */
function asSystem(host: Host): Host {
  return Object.create(host, { uid: { value: 0 } }) as Host;
}

/** Connects to the realm's manager, runs `body`, disconnects. A ControlError becomes one line and status 125. */
export async function withManager<T>(realm: Realm, body: (line: Line) => Promise<T>): Promise<T> {
  const interactive = realm.scope.kind === 'system' && realm.host.isTerminal(0);
  const agent = interactive ? await authorisationAgent(realm.host) : undefined;
  const connect = (): Promise<ManagerBus> => connectBus(realm.scope, interactive);
  let line: Line | undefined;
  try {
    line = { bus: await connectSteadily(connect), again: connect };
    return await body(line);
  } catch (error) {
    if (error instanceof ControlError) throw new Failure(125, explainError(error));
    throw error;
  } finally {
    line?.bus.close();
    agent?.();
  }
}

/**
 * polkit asks on the terminal of who has no desktop that could (pkttyagent(1)); root is never asked. The program closes its third descriptor
 * when polkit knows of it: a call before that would be refused.
 */
async function authorisationAgent(host: Host): Promise<(() => void) | undefined> {
  const program = '/usr/bin/pkttyagent';
  if (process.getuid?.() === 0 || !host.access(program, 1)) return undefined;
  const words = ['--process', String(process.pid), '--fallback', '--notify-fd', '3'];
  const child = spawn(program, words, { stdio: ['inherit', 'inherit', 'inherit', 'pipe'] });
  const ended = new Promise<void>(resolve => {
    child.on('error', () => resolve());
    child.on('exit', () => resolve());
  });
  const notify = child.stdio[3] as Readable;
  const known = new Promise<void>(resolve => {
    notify.on('close', () => resolve());
    notify.resume();
  });
  await Promise.race([known, ended]);
  return () => void child.kill('SIGTERM');
}

function explainError(error: ControlError): string {
  if (/InteractiveAuthorizationRequired$|AccessDenied$|NotAuthorized$/.test(error.name))
    return `${error.message}: polkit does not let this account do it; run it as root, or with --user for your own units`;
  return error.message;
}
