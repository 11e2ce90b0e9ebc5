import { builtInProfile } from './built-in-seccomp.ts';
import type { CapabilityPlan } from './capabilities.ts';
import { refuse, type PlanContext } from './context.ts';
import { hash } from './environment.ts';
import { evaluateSeccomp } from './seccomp.ts';
import type { SpecSeccomp } from './spec.ts';

/** The distribution's profile (golang-github-containers-common). */
export const DEFAULT_PROFILE = '/usr/share/containers/seccomp.json';

/**
 * Stands for the default profile, whose program was made at build time: `specText` writes the whole object in its place. Taken as it is
 * it forbids everything.
 */
export const BUILT_IN_SECCOMP: SpecSeccomp = { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38 };

/** The filter. The profile's text is needed where no built-in program is the default profile for these capabilities. */
export function planSeccomp(
  context: PlanContext,
  capabilities: CapabilityPlan,
): { profile?: SpecSeccomp; isDefault: boolean } {
  const { request, facts } = context;
  if (request.seccomp === 'unconfined' || (request.privileged && request.seccomp === undefined))
    return { isDefault: false };
  if (request.seccomp === undefined && builtInProfile(capabilities.bounding) !== undefined && !context.foreign) {
    return { profile: BUILT_IN_SECCOMP, isDefault: true };
  }
  const path = request.seccomp ?? DEFAULT_PROFILE;
  if (facts.seccompProfile === undefined) {
    const hint = request.seccomp === undefined ? 'install the package golang-github-containers-common' : undefined;
    refuse(context, '--security-opt', `${path}: the seccomp profile cannot be read`, hint);
    return { isDefault: false };
  }
  const subject = { capabilities: capabilities.bounding, architecture: facts.architecture, kernel: facts.kernel };
  const result = evaluateSeccomp(facts.seccompProfile, subject, path);
  if (result.isOk()) return { profile: result.value, isDefault: false };
  context.problems.push(...result.error);
  return { isDefault: false };
}

/** Labels at exec. What is asked for and the host does not have is refused by name, never left out (T9). */
export function planLabels(context: PlanContext): { apparmor?: string; selinux?: string; mount?: string } {
  const { request, facts } = context;
  const out: { apparmor?: string; selinux?: string; mount?: string } = {};
  const { apparmor, selinux } = request;
  if (apparmor !== undefined && apparmor !== 'unconfined') {
    if (!facts.apparmor)
      refuse(context, '--security-opt', `--security-opt apparmor=${apparmor}: AppArmor is not enabled on this host`);
    out.apparmor = apparmor;
  }
  const { disable, type, level, filetype, nested } = selinux;
  const asked = type ?? level ?? filetype ?? (nested === true ? 'nested' : undefined);
  if (asked !== undefined && !facts.selinux) {
    refuse(
      context,
      '--security-opt',
      `--security-opt label ${asked}: SELinux is not enabled on this host`,
      'leave it out',
    );
  }
  // With the processes or the IPC objects of the host it would only be in the way (podman-run(1), --pid and --ipc).
  const open = request.pid === 'host' || request.ipc === 'host';
  if (!facts.selinux || disable || ((request.privileged || open) && asked === undefined)) return out;
  const range = level ?? categories(levelKey(context));
  out.selinux = `system_u:system_r:${type ?? 'container_t'}:${range}`;
  out.mount = `system_u:object_r:${filetype ?? 'container_file_t'}:${range}`;
  return out;
}

/** `:z`, `:Z`: where payloads have labels, all containers or this one alone may use what is at a path of the host. */
export function planRelabel(
  context: PlanContext,
  path: string,
  whom: 'shared' | 'private',
): { path: string; label: string }[] {
  const label = planLabels(context).mount;
  return label === undefined ? [] : [{ path, label: whom === 'shared' ? sharedLabel(label) : label }];
}

/** Whose level it is: the pod's, that of the container whose processes or IPC objects are shared, or its own; of each account another. */
function levelKey({ request, facts }: PlanContext): string {
  const joined = [request.pid, request.ipc].find(mode => mode.startsWith('container:'))?.slice('container:'.length);
  const name = request.pod ?? joined ?? request.name;
  return facts.uid === 0 ? name : `${facts.uid}/${name}`;
}

/** A mount label that every container may use: all but the level of it (chcon(1) of what `:z` asks for). */
export function sharedLabel(label: string): string {
  return `${label.split(':', 3).join(':')}:s0`;
}

/**
 * Two categories of 1024, so that containers are kept apart. What decides is the name: a container keeps its level, so files that have
 * it need not be labelled at the next start.
 */
function categories(name: string): string {
  const number = hash(name);
  const a = number % 1024;
  const b = (a + 1 + ((number >>> 10) % 1023)) % 1024;
  return `s0:c${Math.min(a, b)},c${Math.max(a, b)}`;
}
