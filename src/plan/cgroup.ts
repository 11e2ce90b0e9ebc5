import { refuse, type PlanContext } from './context.ts';
import type { SpecResources } from './spec.ts';
import type { Plan } from './types.ts';

/** Podman's default number of processes (containers.conf(5), pids_limit). */
const DEFAULT_PIDS = 2048;

type Limit = Plan['cgroup'][number];

/**
 * Limits as files of the payload's cgroup (cgroup-v2.rst), and as the OCI resources for other runtimes. What was asked for and cannot be
 * kept is refused by name; the default number of processes is a wish. `lifts`: of a group that has limits "no limit" is written, too.
 */
export function planCgroup(context: PlanContext, lifts = false): { files: Limit[]; resources: SpecResources } {
  const { request, facts } = context;
  const files: Limit[] = [];
  const resources: SpecResources = {};
  const absent: { options: string[]; controllers: string[] } = { options: [], controllers: [] };
  const add: Add = (file, value, option, required = true) => {
    const controller = file.slice(0, file.indexOf('.'));
    if (request.cgroups === 'disabled')
      refuse(context, option, `${option} needs a cgroup, but --cgroups=disabled was given`);
    else if (facts.controllers.includes(controller)) files.push({ file, value, controller, required });
    else if (required) {
      if (!absent.options.includes(option)) absent.options.push(option);
      if (!absent.controllers.includes(controller)) absent.controllers.push(controller);
    }
  };
  planMemory(context, add, resources);
  planCpu(context, add, resources);
  planPids(context, add, files, resources);
  if (lifts) planLifted(context, add);
  const unified = Object.entries(request.resources.unified);
  for (const [file, value] of unified) add(file, value, '--cgroup-conf');
  refuseAbsent(context, absent.options, absent.controllers);
  if (unified.length > 0) resources.unified = { ...request.resources.unified };
  return { files, resources };
}

function refuseAbsent(context: PlanContext, options: readonly string[], controllers: readonly string[]): void {
  const [first] = options;
  if (first === undefined) return;
  const which = `${controllers.join(', ')} controller${controllers.length === 1 ? ' is' : 's are'}`;
  const hint = 'run it in a unit with Delegate=yes, whose manager has the controller';
  refuse(context, first, `${options.join(', ')}: the ${which} not available here`, hint);
}

/** `required` is false for what was not asked for itself. */
type Add = (file: string, value: string, option: string, required?: boolean) => void;

/** --memory-swap counts memory and swap together; without it as much swap as memory is allowed, as in Podman. */
function planMemory(context: PlanContext, add: Add, resources: SpecResources): void {
  const { memory, memoryReservation, memorySwap } = context.request.resources;
  const out: NonNullable<SpecResources['memory']> = {};
  const limit = memory === undefined || memory <= 0 ? undefined : memory;
  if (limit !== undefined) {
    add('memory.max', String(limit), '--memory');
    out.limit = limit;
    const swap = memorySwap === undefined || memorySwap === 0 ? limit : memorySwap < 0 ? -1 : memorySwap - limit;
    add('memory.swap.max', swap < 0 ? 'max' : String(swap), '--memory-swap', memorySwap !== undefined);
    out.swap = swap < 0 ? -1 : limit + swap;
  }
  if (memoryReservation !== undefined && memoryReservation > 0) {
    if (limit !== undefined && memoryReservation > limit) {
      refuse(context, '--memory-reservation', '--memory-reservation is above --memory');
    }
    add('memory.low', String(memoryReservation), '--memory-reservation');
    out.reservation = memoryReservation;
  }
  if (Object.keys(out).length > 0) resources.memory = out;
}

function planCpu(context: PlanContext, add: Add, resources: SpecResources): void {
  const { cpus, cpuShares, cpusetCpus } = context.request.resources;
  const out: NonNullable<SpecResources['cpu']> = {};
  if (cpus !== undefined && cpus > 0) {
    out.period = 100000;
    out.quota = Math.round(cpus * out.period);
    if (out.quota < 1000) refuse(context, '--cpus', `--cpus ${cpus}: less than the kernel's smallest share, 0.01`);
    add('cpu.max', `${out.quota} ${out.period}`, '--cpus');
  }
  if (cpuShares !== undefined && cpuShares > 0) {
    const shares = Math.max(2, cpuShares);
    out.shares = shares;
    add('cpu.weight', String(weightOf(shares)), '--cpu-shares');
  }
  if (cpusetCpus !== undefined) {
    out.cpus = cpusetCpus;
    add('cpuset.cpus', cpusetCpus, '--cpuset-cpus');
  }
  if (Object.keys(out).length > 0) resources.cpu = out;
}

/** What a start leaves out, since its group is a new one. */
function planLifted(context: PlanContext, add: Add): void {
  const { resources } = context.request;
  const { memory, memorySwap, memoryReservation, pids, cpus, cpuShares } = resources;
  const unlimited = memory !== undefined && memory <= 0;
  if (unlimited) add('memory.max', 'max', '--memory');
  if (unlimited && memorySwap !== undefined && memorySwap > 0)
    refuse(context, '--memory-swap', '--memory-swap is memory and swap together, and --memory has no limit');
  if (unlimited || (memory === undefined && memorySwap !== undefined && memorySwap < 0))
    add('memory.swap.max', 'max', '--memory-swap', memorySwap !== undefined);
  if (memoryReservation === 0) add('memory.low', '0', '--memory-reservation');
  if (cpus === 0) add('cpu.max', 'max 100000', '--cpus');
  if (cpuShares === 0) add('cpu.weight', '100', '--cpu-shares');
  if (pids !== undefined && pids <= 0) add('pids.max', 'max', '--pids-limit');
}

/** Shares 2…262144 as weight 1…10000, linearly, as the OCI runtimes convert them. */
function weightOf(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262142);
}

function planPids(context: PlanContext, add: Add, files: Limit[], resources: SpecResources): void {
  const { request, facts } = context;
  const { pids } = request.resources;
  if (pids === undefined) {
    if (!facts.controllers.includes('pids') || request.cgroups === 'disabled') return;
    files.push({ file: 'pids.max', value: String(DEFAULT_PIDS), controller: 'pids', required: false });
    resources.pids = { limit: DEFAULT_PIDS };
  } else if (pids > 0) {
    add('pids.max', String(pids), '--pids-limit');
    resources.pids = { limit: pids };
  }
}
