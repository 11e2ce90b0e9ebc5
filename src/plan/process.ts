import { refuse, type PlanContext } from './context.ts';
import { readSignal } from './parse-values.ts';
import type { SpecProcess } from './spec.ts';

type Limit = NonNullable<SpecProcess['rlimits']>[number];
type Value = number | 'unlimited';

/** Podman's default for open files and processes, as far as we may give it. */
const DEFAULT_LIMIT = 1048576;

/** The words of the payload: entrypoint and command, of the request before those of the image. */
export function planArgs(context: PlanContext): string[] {
  const { request, image } = context;
  const entrypoint = request.entrypoint ?? image?.entrypoint ?? [];
  // An entrypoint of one's own takes the image's command away, which was meant for the other.
  const inherited = request.entrypoint === undefined ? (image?.command ?? []) : [];
  const args = [...entrypoint, ...(request.command.length > 0 ? request.command : inherited)];
  if (args.length === 0) {
    refuse(
      context,
      'COMMAND',
      'neither the image nor the command line says what to run',
      'give a command after the image',
    );
  } else if (args[0] === '') refuse(context, 'COMMAND', 'the command is an empty word');
  // An image's JSON can hold what no argument can.
  if (args.some(word => word.includes('\0'))) refuse(context, 'COMMAND', 'a word of the command holds a NUL byte');
  return args;
}

const SYSTEMD = ['/sbin/init', '/usr/sbin/init', '/usr/local/sbin/init'];

/** Whether the payload is treated as systemd, by the rules of podman-run(1), --systemd. */
export function isSystemd(context: PlanContext, args: readonly string[]): boolean {
  const [program = ''] = args;
  if (context.request.systemd !== 'auto') return context.request.systemd === 'always';
  return SYSTEMD.includes(program) || program === 'systemd' || program.endsWith('/systemd');
}

/** Limits: those asked for; open files and processes get a default; `host` leaves ours. */
export function planLimits(context: PlanContext): Limit[] {
  const { request, facts } = context;
  const { ulimits } = request;
  if (ulimits.some(limit => limit.type === 'host')) return [];
  const limits: Limit[] = [];
  for (const { type, soft, hard } of ulimits) {
    const ours = facts.limits[type]?.hard;
    // -1 is the most we may give: for an account its own hard limit, for open files at most fs.nr_open.
    const most = facts.uid === 0 && type !== 'nofile' ? 'unlimited' : (ours ?? 'unlimited');
    limits.push({
      type: `RLIMIT_${type.toUpperCase()}`,
      soft: soft === 'unlimited' ? most : soft,
      hard: hard === 'unlimited' ? most : hard,
    });
    if (facts.uid !== 0 && hard !== 'unlimited' && ours !== undefined && isAbove(hard, ours)) {
      refuse(
        context,
        '--ulimit',
        `--ulimit ${type}=${hard}: above the hard limit ${ours} of this account`,
        `raise Limit${type.toUpperCase()}= of the unit`,
      );
    }
  }
  for (const type of ['nofile', 'nproc']) {
    if (ulimits.some(limit => limit.type === type)) continue;
    const hard = facts.limits[type]?.hard ?? DEFAULT_LIMIT;
    const value = isAbove(hard, DEFAULT_LIMIT) ? DEFAULT_LIMIT : hard;
    limits.push({ type: `RLIMIT_${type.toUpperCase()}`, soft: value, hard: value });
  }
  return limits;
}

function isAbove(a: Value, b: Value): boolean {
  if (b === 'unlimited') return false;
  return a === 'unlimited' || a > b;
}

const SIGTERM = 15;
/** systemd halts on it (systemd(1), SIGRTMIN+3). */
const SIGRTMIN_3 = 37;

/** The request's signal, the image's, or the default. */
export function planStopSignal(context: PlanContext, systemd: boolean): number {
  const { request, image, warnings } = context;
  if (request.stopSignal !== undefined) return request.stopSignal;
  const text = image?.stopSignal ?? '';
  if (text !== '') {
    const signal = readSignal(text);
    if (signal !== undefined) return signal;
    warnings.push('the stop signal of the image is not a signal; SIGTERM is used');
  }
  return systemd ? SIGRTMIN_3 : SIGTERM;
}
