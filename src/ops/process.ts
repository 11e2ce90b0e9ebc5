import type { Host } from '../host/host.ts';
import { builtInProfile } from '../plan/built-in-seccomp.ts';
import type { Spec, SpecProcess } from '../plan/spec.ts';
import { op } from './encode.ts';
import type { Op } from './ops.ts';
import { capabilityMask, limitNumber, limitValue } from './tables.ts';

/** PATH of a look-up when the environment has none. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * What can fail for outer reasons and needs privileges: before `sync ready`. With `lenient` a limit above our own becomes ours: who
 * calls `exec` may have less than the container was started with.
 */
export function limitOps(process: SpecProcess, lenient = false): Op[] {
  const ops: Op[] = [];
  for (const limit of process.rlimits ?? []) {
    const number = limitNumber(limit.type);
    if (number === undefined) throw new RangeError(`${limit.type}: there is no such limit`);
    ops.push(op('rlimit', number, limitValue(limit.soft), `${limitValue(limit.hard)}${lenient ? '?' : ''}`));
  }
  if (process.user.umask !== undefined) ops.push(op('umask', process.user.umask.toString(8)));
  return ops;
}

/** A security label of the payload; failing to apply one fails the start (T9). */
export function labelOps(process: SpecProcess): Op[] {
  const ops: Op[] = [];
  if (has(process.apparmorProfile) && process.apparmorProfile !== 'unconfined') {
    ops.push(op('label', 'apparmor', process.apparmorProfile));
  }
  if (has(process.selinuxLabel)) ops.push(op('label', 'selinux', process.selinuxLabel));
  return ops;
}

export interface IdentityRequest {
  readonly process: SpecProcess;
  readonly annotations: Spec['annotations'];
  /** BPF program as a field (seccompProgram); empty: no filter. */
  readonly seccomp: string;
  readonly seccompFlags: readonly string[];
}

/** From root of the namespaces to the payload's user: see native/tiny/stage-process.c for the order. */
export function identityOps(request: IdentityRequest): Op[] {
  const { process } = request;
  const { uid, gid, additionalGids = [] } = process.user;
  const sets = process.capabilities;
  const groups = request.annotations?.['run.oci.keep_original_groups'] === '1' ? [-1] : additionalGids;
  const ops = [
    op(
      'capabilities',
      capabilityMask(sets?.bounding),
      capabilityMask(sets?.permitted),
      capabilityMask(sets?.effective),
      capabilityMask(sets?.inheritable),
      capabilityMask(sets?.ambient),
    ),
    op('user', uid, gid, ...groups),
  ];
  if (process.noNewPrivileges === true) ops.push(op('no-new-privileges'));
  if (request.seccomp !== '') ops.push(op('seccomp', request.seccomp, request.seccompFlags.join(',')));
  return ops;
}

/** The BPF program of a configuration, as the field of the operation; `isDefault`: it is one that was compiled at build time. */
export function seccompProgram(host: Host, spec: Spec, isDefault: boolean): string {
  const profile = spec.linux.seccomp;
  if (profile === undefined) return '';
  const number = isDefault ? builtInProfile(spec.process?.capabilities?.bounding ?? []) : undefined;
  return number === undefined
    ? escapeProgram(host.compileSeccomp(JSON.stringify(profile)))
    : host.defaultSeccomp(number);
}

/** Words of the operation `seccomp` for `flags` of config.json. */
export function seccompFlags(spec: Spec): string[] {
  return (spec.linux.seccomp?.flags ?? []).flatMap(flag => SECCOMP_FLAGS.get(flag) ?? []);
}

/** Environment, working directory and the program; `listen`: launch indexes of the descriptors that become 3, 4, …. */
export function execOps(process: SpecProcess, listen: readonly number[], init: boolean): Op[] {
  const path = process.env.findLast(entry => entry.startsWith('PATH='))?.slice(5) ?? DEFAULT_PATH;
  const passes = listen.length > 0;
  // The stage writes the number; without a name there would be nothing to write to.
  const names = passes && !process.env.some(entry => entry.startsWith('LISTEN_PID=')) ? ['LISTEN_PID='] : [];
  const ops = [op('environment', ...process.env, ...names)];
  if (passes) ops.push(op('listen', ...listen));
  if (init) ops.push(op('init'));
  ops.push(op('exec', path, ...process.args));
  return ops;
}

/** Bytes that cannot stand in a field: see the operation `seccomp`. */
export function escapeProgram(program: string): string {
  return program.replaceAll('\x01', '\x01\x01').replaceAll('\0', '\x01\x02');
}

const SECCOMP_FLAGS: ReadonlyMap<string, string> = new Map([
  ['SECCOMP_FILTER_FLAG_LOG', 'log'],
  ['SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'spec-allow'],
  ['SECCOMP_FILTER_FLAG_TSYNC', 'tsync'],
]);

function has(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
