import type { RunRequest } from './request.ts';
import { hasUserNamespace, refuse, type IdPlan, type PlanContext } from './context.ts';
import type { NamespaceType, SpecLinux } from './spec.ts';

type Namespaces = NonNullable<SpecLinux['namespaces']>;

/** What each namespace mode comes to. */
export interface NamespacePlan {
  readonly list: Namespaces;
  /** New ones, by type. */
  readonly own: ReadonlySet<NamespaceType>;
  /** The host's network, or that of another container. */
  readonly networkMode: string;
}

export function planNamespaces(context: PlanContext, ids: IdPlan): NamespacePlan {
  const { request } = context;
  const list: Namespaces = [];
  const own = new Set<NamespaceType>();
  const networkMode = request.networks[0] ?? '';
  const add = (type: NamespaceType, mode: string, option: string): void => {
    const shared = mode === 'host' ? '' : mode.startsWith('container:') || mode.startsWith('ns:') ? mode : undefined;
    if (shared === '') return;
    if (shared === undefined) {
      list.push({ type });
      own.add(type);
      return;
    }
    const path = shared.startsWith('ns:') ? shared.slice(3) : context.facts.joins[`${type} ${shared}`];
    if (path === undefined) refuse(context, option, `${option} ${mode}: there is no such running container`);
    else list.push({ type, path });
  };
  if (ids.join !== undefined) list.push({ type: 'user', path: ids.join });
  else if (ids.own) {
    list.push({ type: 'user' });
    own.add('user');
  }
  add('pid', request.pid, '--pid');
  add('network', networkMode, '--network');
  add('ipc', request.ipc, '--ipc');
  add('uts', request.uts, '--uts');
  add('mount', 'private', '--mount');
  add('cgroup', request.cgroupns, '--cgroupns');
  return { list, own, networkMode };
}

/** Parameters of the IPC namespace (podman-run(1), --sysctl). */
const IPC = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/**
 * Kernel parameters: only those that a namespace of the container's own holds. All others would change the host, or fail.
 * Podman's default lets every group of the container send pings (containers.conf(5), default_sysctls).
 */
export function planSysctls(context: PlanContext, namespaces: NamespacePlan, ids: IdPlan): Record<string, string> {
  const { request } = context;
  const out: Record<string, string> = {};
  // An account that sees the host's processes has no procfs of its own, and the host's may lie in pieces.
  const reachable = namespaces.own.has('pid') || !hasUserNamespace(ids);
  if (namespaces.own.has('network') && reachable) out['net.ipv4.ping_group_range'] = '0 0';
  for (const [name, value] of Object.entries(request.sysctls)) {
    const type = sysctlNamespace(name, hasUserNamespace(ids));
    if (type === undefined) {
      refuse(
        context,
        '--sysctl',
        `--sysctl ${name}: no namespace holds this parameter`,
        'set it on the host, by sysctl.d(5)',
      );
    } else if (!namespaces.own.has(type)) {
      refuse(context, '--sysctl', `--sysctl ${name}: the container has no ${type} namespace of its own`);
    } else out[name] = value;
  }
  return out;
}

/** Which namespace holds a kernel parameter; `user`: whether the container has a user namespace. */
export function sysctlNamespace(name: string, user: boolean): 'network' | 'ipc' | 'uts' | 'user' | undefined {
  if (name.startsWith('net.')) return 'network';
  if (IPC.has(name) || name.startsWith('fs.mqueue.')) return 'ipc';
  if (name === 'kernel.hostname' || name === 'kernel.domainname') return 'uts';
  return user && name.startsWith('user.') ? 'user' : undefined;
}

/** Without a name of its own: it shares the host's, or its network, where programs tell others their name. */
export const hasHostName = ({ uts, networks }: RunRequest): boolean => uts !== 'private' || networks[0] === 'host';

/** The host name inside: asked for, the host's when it is shared, else the container's name as far as it is a host name. */
export function planHostname(context: PlanContext): string {
  const { request, facts } = context;
  if (request.hostname !== undefined) return request.hostname;
  if (hasHostName(request)) return facts.hostName;
  return hostnameOf(request.name);
}

/** A container's name as a host name: at most 63 letters, digits, hyphens and dots. */
export function hostnameOf(name: string): string {
  let out = '';
  for (let i = 0; i < name.length && out.length < 63; i++) out += name[i] === '_' ? '-' : name.charAt(i);
  while (out.endsWith('-') || out.endsWith('.')) out = out.slice(0, -1);
  return out;
}
