import type { Host } from '../host/host.ts';
import { RELAY } from '../host/kernel.ts';
import { encodeOps } from '../ops/encode.ts';
import { compileExec } from '../ops/exec.ts';
import { readConnection, type Check, type HealthPlan } from '../plan/health.ts';
import type { Spec } from '../plan/spec.ts';
import { execProcess } from './exec-process.ts';
import type { Started } from './finish.ts';
import type { HealthState } from './state.ts';

const O_PATH = 0o10000000;
const O_DIRECTORY = 0o200000;
const KINDS = { exec: 'e', port: 't', http: 'h', unix: 'u' } as const;
const ENTERED: Readonly<Record<string, number>> = { user: 0x10000000, network: 0x40000000, mount: 0x20000 };

/** Names a descriptor for the relay; returns its index. */
export type Give = (fd: number) => number;
/** Opens a path that the relay gets; its index. */
export type Open = (path: string, flags: number) => number;

/** File with the results, for `berth health`. */
export function healthFile(plan: HealthPlan, bundle: string, id: string): string {
  return plan.logDirectory === '' ? `${bundle}/health.json` : `${plan.logDirectory}/${id}-healthcheck.log`;
}

/**
 * The relay's words about readiness and health (native/tiny/relay-probe.c). A command is compiled here, once, to the operations of an exec;
 * the relay lets the stage play them for each probe.
 */
export function healthWords(host: Host, started: Started, plan: HealthPlan, open: Open): string[] {
  const { place, prepared, made } = started;
  const file = healthFile(plan, place.bundle, place.id);
  const at = file.lastIndexOf('/');
  const words = [
    `bundle=${open(place.bundle, O_PATH | O_DIRECTORY)}`,
    `health-log=${open(file.slice(0, at), O_PATH | O_DIRECTORY)}`,
    `log-name=${file.slice(at + 1)}`,
    `log-count=${plan.logCount}`,
    `log-size=${plan.logSize}`,
    `start-period=${plan.startPeriod}`,
    `on-failure=${plan.onFailure}`,
    `stop=${prepared.plan.stopSignal}`,
    `stop-timeout=${prepared.plan.stopTimeout * 1000}`,
    `enter=${enteredBits(prepared.plan.spec)}`,
  ];
  if (made.group !== undefined) words.push(`group=${open(made.group.directory, O_PATH | O_DIRECTORY)}`);
  for (const [role, check] of [
    ['r', plan.ready],
    ['s', plan.startup],
    ['h', plan.health],
  ] as const) {
    if (check === undefined) continue;
    const target = check.kind === 'exec' ? String(compiled(host, started, role, check, open)) : check.target;
    const { interval, timeout, retries, successes } = check;
    words.push(`check=${role},${KINDS[check.kind]},${interval},${timeout},${retries},${successes},${target}`);
  }
  return words;
}

/** The namespaces from which a connection is made: where the container has its own. */
function enteredBits(spec: Spec): number {
  let bits = 0;
  for (const { type } of spec.linux.namespaces ?? []) bits |= ENTERED[type] ?? 0;
  return bits;
}

/** One connection, made now as the relay of the container makes it: whether all was well. */
export function connectOnce(
  host: Host,
  spec: Spec,
  payload: number,
  { connection = '', timeout }: HealthState,
): boolean {
  const check = readConnection(connection);
  if (check === undefined) throw new RangeError(`${connection}: not a connection`);
  const words = [
    'payload=0',
    'attended=1',
    'once=1',
    'log-size=64',
    `enter=${enteredBits(spec)}`,
    `check=h,${KINDS[check.kind]},1,${timeout},1,1,${check.target}`,
  ];
  return host.wait(host.relay(words, [payload], false, RELAY.PROBER)).status === 0;
}

/** The operations lie in the bundle, which is ours alone. */
function compiled(host: Host, started: Started, role: string, check: Check, open: Open): number {
  const { prepared, begun, place } = started;
  const { spec, defaultSeccomp } = prepared.plan;
  if (spec.process === undefined) throw new RangeError('config.json has no process');
  const wish = { command: check.command, environment: prepared.plan.secretEnvironment, tty: false };
  const process = execProcess(host, begun.stage.pid, spec.process, wish);
  const { ops } = compileExec(
    host,
    { spec, pidfd: begun.stage.pidfd, defaultSeccomp },
    { args: process.args, env: process.env, cwd: process.cwd, user: process.user, terminal: false },
  );
  const path = `${place.bundle}/probe-${role}.ops`;
  host.writeFileAtomic(path, encodeOps(ops), 0o600);
  return open(path, 0);
}
