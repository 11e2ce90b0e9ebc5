import { hasUserNamespace, refuse, type IdPlan, type PlanContext } from './context.ts';
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
      if (wanted.optional !== true) refuse(context, '--device', `--device ${wanted.host}: there is no such device`);
      continue;
    }
    for (const node of nodes) {
      // Below a directory the names are kept; a link was resolved to another name.
      const inside = node.path.startsWith(`${wanted.host}/`);
      const target = inside ? wanted.target + node.path.slice(wanted.host.length) : wanted.target;
      if (inUserNamespace) plan.mounts.push(bind(node.path, target));
      else plan.devices.push(nodeAt(node, target));
      // An account cannot have rules; which nodes it may open is for the host's permissions.
      if (!inUserNamespace || facts.uid === 0) plan.rules.push(ruleFor(node, wanted.access));
    }
    if (facts.uid !== 0 && (!wanted.access.includes('w') || !wanted.access.includes('r'))) {
      context.warnings.push(
        `--device ${wanted.host}: the permissions ${wanted.access} are not enforced; use DeviceAllow= in [Service]`,
      );
    }
  }
  if (request.privileged) {
    for (const node of facts.devices['/dev'] ?? []) {
      if (inUserNamespace) plan.mounts.push(bind(node.path, node.path));
      else {
        plan.devices.push(nodeAt(node, node.path));
        plan.rules.push(ruleFor(node, 'rwm'));
      }
    }
  }
  return plan;
}

type Node = NonNullable<PlanContext['facts']['devices'][string]>[number];

function nodeAt({ type, major, minor, uid, gid, mode }: Node, path: string): Devices[number] {
  return { path, type, major, minor, fileMode: mode & 0o777, uid, gid };
}

function ruleFor({ type, major, minor }: Node, access: string): Rules[number] {
  return { allow: true, type, major, minor, access };
}

function bind(source: string, destination: string): SpecMount {
  return { destination, type: 'bind', source, options: ['slave', 'nosuid', 'noexec', 'rw', 'rbind'] };
}
