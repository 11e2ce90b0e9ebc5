import { hasUserNamespace, refuse, type IdPlan, type PlanContext } from './context.ts';
import { toHost } from './id-maps.ts';
import type { SpecLinux, SpecMount, SpecResources } from './spec.ts';

type Devices = NonNullable<SpecLinux['devices']>;
type Rules = NonNullable<SpecResources['devices']>;

export interface DevicePlan {
  readonly devices: Devices;
  readonly rules: Rules;
  readonly mounts: SpecMount[];
}

/** In a user namespace nodes cannot be made: the host's are bound, and the host's permissions count. Otherwise they are made new. */
export function planDevices(context: PlanContext, ids: IdPlan): DevicePlan {
  const { request, facts } = context;
  const inUserNamespace = hasUserNamespace(ids);
  const plan: DevicePlan = { devices: [], rules: [{ allow: request.privileged, access: 'rwm' }], mounts: [] };
  for (const wanted of request.devices) {
    const nodes = facts.devices[wanted.host];
    if (nodes === undefined || nodes.length === 0) {
      refuse(context, '--device', `--device ${wanted.host}: there is no such device`);
      continue;
    }
    for (const node of nodes) {
      // Below a directory the names are kept; a link was resolved to another name.
      const inside = node.path.startsWith(`${wanted.host}/`);
      const target = inside ? wanted.target + node.path.slice(wanted.host.length) : wanted.target;
      if (inUserNamespace) plan.mounts.push(bind(node.path, target));
      else add(plan, node, target, wanted.access);
    }
    if (!wanted.access.includes('w') || !wanted.access.includes('r')) {
      context.warnings.push(
        `--device ${wanted.host}: the permissions ${wanted.access} are not enforced; use DeviceAllow= in [Service]`,
      );
    }
  }
  if (request.privileged) {
    for (const node of facts.devices['/dev'] ?? []) {
      if (inUserNamespace) plan.mounts.push(bind(node.path, node.path));
      else add(plan, node, node.path, 'rwm');
    }
  }
  return plan;
}

type Node = NonNullable<PlanContext['facts']['devices'][string]>[number];

function add(plan: DevicePlan, node: Node, path: string, access: string): void {
  const { type, major, minor, uid, gid } = node;
  plan.devices.push({ path, type, major, minor, fileMode: node.mode & 0o777, uid, gid });
  plan.rules.push({ allow: true, type, major, minor, access });
}

function bind(source: string, destination: string): SpecMount {
  return { destination, type: 'bind', source, options: ['slave', 'nosuid', 'noexec', 'rw', 'rbind'] };
}

/** With CAP_MKNOD and no user namespace a payload can make any node; only the unit's DevicePolicy= holds it back. */
export function warnOfNodes(context: PlanContext, ids: IdPlan, bounding: readonly string[]): void {
  if (context.request.privileged || ids.own || ids.join !== undefined || context.facts.uid !== 0) return;
  if (toHost(context.facts.ourUidMap, 0) !== 0 || !bounding.includes('CAP_MKNOD')) return;
  context.warnings.push('CAP_MKNOD lets the payload make nodes of all devices; use DevicePolicy=closed in [Service]');
}
