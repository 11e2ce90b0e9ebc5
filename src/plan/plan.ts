import type { Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import { planCapabilities } from './capabilities.ts';
import { planCgroup } from './cgroup.ts';
import { hasUserNamespace, mountsInside, newContext, refuse, type IdPlan, type PlanContext } from './context.ts';
import { planDevices } from './devices.ts';
import { planEnvironment } from './environment.ts';
import { planIds } from './ids.ts';
import { planMounts } from './mounts.ts';
import { planHostname, planNamespaces, planSysctls } from './namespaces.ts';
import { cleanPath } from './parse-values.ts';
import { isUnmasked, planPaths } from './paths.ts';
import { isSystemd, planArgs, planLimits, planStopSignal } from './process.ts';
import { planLabels, planSeccomp } from './security.ts';
import type { Spec, SpecLinux, SpecProcess } from './spec.ts';
import type { Plan, PlanInput, RootFileSystem } from './types.ts';
import { planSecrets } from './secrets.ts';
import { planUser } from './user.ts';

/** A volume whose owner stays. */
const NOBODY = { uid: -1, gid: -1 };

/** Seconds between stop signal and kill (podman-run(1), --stop-timeout). */
const STOP_TIMEOUT = 10;

/**
 * From what was asked for and what the host has to config.json and what OCI has no word for. Pure: no effect, nothing read.
 * All problems of a request are told together, each names the option or path.
 */
export function makePlan(input: PlanInput): Result<Plan, Problem[]> {
  const context = newContext(input);
  const { request, facts } = context;
  if (request.init && context.foreign) refuse(context, '--init', '--init works with the built-in runtime alone');
  const ids = planIds(context);
  const namespaces = planNamespaces(context, ids);
  const args = planArgs(context);
  const systemd = isSystemd(context, args);
  const cwd = workdirOf(context);
  const user = planUser(context, ids, cwd);
  const devices = planDevices(context, ids);
  const secrets = planSecrets(context);
  const mounts = planMounts(context, ids, {
    namespaces,
    systemd,
    user,
    devices: devices.mounts,
    secrets: secrets.mounts,
  });
  const hostname = planHostname(context);
  const process = makeProcess(context, { args, cwd, user, hostname, systemd });
  const linux = makeLinux(context, ids, namespaces);
  const seccomp = planSeccomp(context, process.capabilities);
  if (seccomp.profile !== undefined) linux.seccomp = seccomp.profile;
  const cgroup = planCgroup(context);
  linux.resources = { ...cgroup.resources, devices: devices.rules };
  if (devices.devices.length > 0) linux.devices = devices.devices;
  if (process.mountLabel !== undefined) linux.mountLabel = process.mountLabel;
  const root = planRoot(context, ids, process.mountLabel ?? '');
  const stopSignal = planStopSignal(context, systemd);
  const spec: Spec = {
    ociVersion: '1.2.0',
    process: process.process,
    root: {
      path: root.kind === 'directory' ? root.path : `${facts.bundle}/rootfs`,
      ...(request.readOnly ? { readonly: true } : {}),
    },
    ...(namespaces.own.has('uts') ? { hostname } : {}),
    mounts: mounts.mounts,
    annotations: annotationsOf(context, stopSignal),
    linux,
  };
  if (context.problems.length > 0) return err(context.problems);
  return ok({
    spec,
    root,
    ...outsideFields(context, ids, mounts.layers),
    ...ownersOf(mounts, secrets, user),
    directories: mounts.directories,
    files: [...filesOf(user), ...secrets.files],
    secretEnvironment: secrets.environment,
    cgroup: cgroup.files,
    stopSignal,
    stopTimeout: request.stopTimeout ?? STOP_TIMEOUT,
    init: request.init,
    keepCwd: request.workdir !== undefined && !mounts.mounts.some(mount => isBelow(cwd, mount.destination)),
    warnings: context.warnings,
    defaultSeccomp: seccomp.isDefault,
  });
}

/** An image's directory may be relative, to the root; `..` leads nowhere (T15). */
function workdirOf(context: PlanContext): string {
  const { request, image } = context;
  if (request.workdir !== undefined) return request.workdir;
  const clean = cleanPath(`/${image?.workingDirectory ?? ''}`);
  if (clean === undefined) refuse(context, '--workdir', "the image's working directory holds a NUL byte");
  return clean ?? '/';
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function filesOf(user: ReturnType<typeof planUser>): { name: string; text: string }[] {
  const files: { name: string; text: string }[] = [];
  if (user.passwd !== undefined) files.push({ name: 'passwd', text: user.passwd });
  if (user.group !== undefined) files.push({ name: 'group', text: user.group });
  return files;
}

function makeProcess(
  context: PlanContext,
  parts: { args: string[]; cwd: string; user: ReturnType<typeof planUser>; hostname: string; systemd: boolean },
): {
  process: SpecProcess;
  capabilities: ReturnType<typeof planCapabilities>;
  mountLabel?: string;
} {
  const { request } = context;
  const { args, cwd, user, hostname, systemd } = parts;
  const capabilities = planCapabilities(context, user.uid);
  const labels = planLabels(context);
  const process: SpecProcess = {
    ...(request.tty ? { terminal: true } : {}),
    user: { uid: user.uid, gid: user.gid, umask: request.umask, additionalGids: [...user.groups] },
    args,
    env: planEnvironment(context, user, hostname, systemd),
    cwd,
    capabilities: capabilities.sets ?? {},
    rlimits: planLimits(context),
    ...(request.noNewPrivileges ? { noNewPrivileges: true } : {}),
    ...(labels.apparmor === undefined ? {} : { apparmorProfile: labels.apparmor }),
    ...(labels.selinux === undefined ? {} : { selinuxLabel: labels.selinux }),
    ...(request.oomScoreAdj === undefined ? {} : { oomScoreAdj: request.oomScoreAdj }),
  };
  const made = { process, capabilities };
  return labels.mount === undefined ? made : { ...made, mountLabel: labels.mount };
}

function makeLinux(context: PlanContext, ids: IdPlan, namespaces: ReturnType<typeof planNamespaces>): SpecLinux {
  const paths = planPaths(context);
  const linux: SpecLinux = { namespaces: namespaces.list };
  // Of one that is joined they are for us: who owns what the payload writes.
  if (ids.uid.length > 0) {
    linux.uidMappings = [...ids.uid];
    linux.gidMappings = [...ids.gid];
  }
  const sysctl = planSysctls(context, namespaces, ids);
  if (Object.keys(sysctl).length > 0) linux.sysctl = sysctl;
  const propagation = propagationOf(context);
  if (propagation !== undefined) linux.rootfsPropagation = propagation;
  // In a user namespace the network namespace of others has no fresh sysfs: it is the host's, with all that is mounted there.
  const hostSys = hasUserNamespace(ids) && !namespaces.own.has('network') && !context.request.privileged;
  const hidden = hostSys && !isUnmasked(context.request.unmask, '/sys/kernel') ? ['/sys/kernel'] : [];
  linux.maskedPaths = [...hidden, ...paths.masked];
  linux.readonlyPaths = paths.readOnly;
  return linux;
}

/** A shared or slave mount needs the root to be as open (config-linux.md, rootfsPropagation). */
function propagationOf(context: PlanContext): string | undefined {
  let found: string | undefined;
  for (const mount of context.request.mounts) {
    const propagation = mount.kind === 'tmpfs' ? undefined : mount.options.propagation;
    if (propagation === 'shared' || propagation === 'rshared') return 'shared';
    if (propagation === 'slave' || propagation === 'rslave') found = 'rslave';
  }
  return found;
}

function planRoot(context: PlanContext, ids: IdPlan, label: string): RootFileSystem {
  const { request, facts } = context;
  // Nodes of an image are no devices of the payload: in Podman the device cgroup forbids them, here the mount does.
  const nodev = !request.privileged;
  const lower = request.rootfs === undefined ? facts.layers : [request.rootfs.path];
  if (request.rootfs?.idmap === true && facts.uid !== 0)
    refuse(
      context,
      '--rootfs',
      `--rootfs ${request.rootfs.path}:idmap: only root can mount a directory with other ids`,
    );
  if (request.rootfs !== undefined && !request.rootfs.overlay)
    return { kind: 'directory', path: request.rootfs.path, idMapped: ids.idMapped, nodev };
  const [first] = lower;
  if (first === undefined) refuse(context, 'IMAGE', 'the image has no layers');
  return {
    kind: 'overlay',
    lower,
    upper: facts.layer === '' ? '' : `${facts.layer}/upper`,
    work: facts.layer === '' ? '' : `${facts.layer}/work`,
    userxattr: mountsInside(context, ids),
    volatile: request.remove && facts.layer !== '',
    context: label,
    idMapped: ids.idMapped,
    nodev,
  };
}

/** Volumes and files that are the payload's, now that its user is known. */
function ownersOf(
  mounts: ReturnType<typeof planMounts>,
  secrets: ReturnType<typeof planSecrets>,
  { uid, gid }: ReturnType<typeof planUser>,
): Pick<Plan, 'copyUps' | 'chowns' | 'relabels'> {
  const owner = { uid, gid };
  return {
    copyUps: mounts.copyUps.map(({ unowned, ...one }) => ({ ...one, ...(unowned ? owner : NOBODY) })),
    chowns: [...mounts.chowns.map(one => ({ ...one, ...owner })), ...secrets.chowns],
    relabels: mounts.relabels,
  };
}

/** Of a namespace that is joined, an account's directories are reached from the inside alone: the kernel gives no other way in. */
function outsideFields(
  { facts, foreign }: PlanContext,
  ids: IdPlan,
  mountedLayers: readonly string[],
): Pick<Plan, 'outer' | 'outside' | 'mountedLayers'> {
  if (ids.outer === undefined) return { outside: false, mountedLayers };
  return { outer: ids.outer, outside: !foreign && (ids.own || facts.uid === 0), mountedLayers };
}

/** Those of the request alone: an image's annotations and labels change nothing (T14). */
function annotationsOf(context: PlanContext, stopSignal: number): Record<string, string> {
  const { request } = context;
  const annotations: Record<string, string> = {
    'io.container.manager': 'berth',
    'org.opencontainers.image.stopSignal': String(stopSignal),
    ...request.annotations,
  };
  if (request.groups.includes('keep-groups')) annotations['run.oci.keep_original_groups'] = '1';
  return annotations;
}
