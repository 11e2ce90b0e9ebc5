import { CLONE, type Host, type Launched } from '../host/host.ts';
import { encodeOps } from '../ops/encode.ts';
import { joinsUser } from '../ops/compile.ts';
import type { Op } from '../ops/ops.ts';
import type { NamespaceType, Spec } from '../plan/spec.ts';
import { allowCopies, awaitSync, type Heard } from './dialogue.ts';
import { beginIdMaps, type IdMap } from './ids.ts';
import type { Streams } from './streams.ts';
import type { Undo } from './undo.ts';

/** A stage that waits at `created`: its namespaces exist and it is root in them. */
export interface Begun {
  readonly stage: Launched;
  readonly heard: Heard;
}

export interface BeginRequest {
  readonly spec: Spec;
  readonly ops: readonly Op[];
  readonly descriptors: readonly number[];
  readonly sibling: boolean;
  /** The stage makes its namespaces itself, below another user namespace. */
  readonly nested?: boolean;
  /** It makes them late, after it has worked outside of them (ops/outside.ts): below a user namespace with these maps, or below ours. */
  readonly outside?: { readonly uidMap: IdMap; readonly gidMap: IdMap };
  /** The volumes that it may fill there. */
  readonly fresh?: readonly string[];
  /** Directory of the payload's control group; empty: it stays in ours. */
  readonly group: string;
  readonly streams: Streams;
  /** Only for a stage with a new user namespace and without a group: it was cloned, and systemd is to move it. */
  enter?(pid: number): void;
  /** Puts the stage into the payload's group, before it goes on. */
  arrive?(pid: number): void;
  /** What the stage needs only after `created`; done while others work on its ids. */
  meanwhile?(): void;
}

/** Clones the stage into its namespaces and control group, and maps its ids. */
export function begin(host: Host, request: BeginRequest, undo: Undo): Begun {
  // In a user namespace that is joined the stage makes the others itself.
  const { outside } = request;
  const own = joinsUser(request.spec) || request.nested === true;
  const namespaces = outside === undefined ? (own ? 0 : namespacesOf(request.spec)) : belowOf(outside, own);
  const stage = host.launch({
    namespaces,
    sibling: request.sibling,
    ops: encodeOps(request.ops),
    stdio: request.streams.stdio,
    descriptors: request.descriptors,
    ...(request.group === '' ? {} : { cgroup: request.group }),
  });
  request.streams.closePayloadEnds();
  let ended = false;
  const end = (): void => {
    if (!ended) endStage(host, stage);
    ended = true;
  };
  undo.add('stage', end);
  const { uidMappings, gidMappings } = request.spec.linux;
  const mapped = (namespaces & CLONE.NEWUSER) !== 0;
  if (mapped) request.enter?.(stage.pid);
  const { uidMap, gidMap } = outside ?? { uidMap: mapOf(uidMappings), gidMap: mapOf(gidMappings) };
  const maps = mapped ? beginIdMaps(host, stage.pid, uidMap, gidMap) : undefined;
  try {
    request.meanwhile?.();
  } finally {
    // Before what was made meanwhile is taken back.
    undo.add('stage', end);
    maps?.();
  }
  if (mapped) {
    request.arrive?.(stage.pid);
    host.proceed(stage, 'ids');
  }
  const heard: Heard = { fds: new Map(), pid: 0 };
  if (outside !== undefined) {
    awaitSync(host, stage, 'outside', heard);
    host.proceed(stage, 'outside');
  }
  const copied = allowCopies(host, stage, outside === undefined ? [] : (request.fresh ?? []));
  try {
    awaitSync(host, stage, 'created', heard);
  } finally {
    copied();
  }
  if (heard.pid === 0) return { stage, heard };
  // Only children are inside a joined pid namespace: the stage went on in one, and the first process is gone.
  const inner = { ...stage, pid: heard.pid, pidfd: heard.fds.get('pid') ?? stage.pidfd };
  undo.add('stage', () => endStage(host, inner));
  return { stage: inner, heard };
}

/** An account works outside as root of a user namespace: one of its own, or that of its networks. */
function belowOf(outside: NonNullable<BeginRequest['outside']>, own: boolean): number {
  return own || outside.uidMap.length === 0 ? 0 : CLONE.NEWUSER;
}

/** A stage that a failed start leaves: the end of its control socket ends it; SIGKILL is for one that cannot notice. */
function endStage(host: Host, stage: Launched): void {
  host.signal(stage.pidfd, 9);
  host.poll([stage.pidfd], 10_000);
}

const BITS: Readonly<Record<NamespaceType, number>> = {
  pid: CLONE.NEWPID,
  network: CLONE.NEWNET,
  mount: CLONE.NEWNS,
  ipc: CLONE.NEWIPC,
  uts: CLONE.NEWUTS,
  user: CLONE.NEWUSER,
  time: CLONE.NEWTIME,
  // Its root is the group of the process that makes it, and a clone would take ours: the stage unshares it.
  cgroup: 0,
};

/** The bits of the namespaces that are new; one with a path is joined by the stage. */
export function namespacesOf(spec: Spec): number {
  let bits = 0;
  for (const namespace of spec.linux.namespaces ?? []) {
    if (namespace.path === undefined || namespace.path === '') bits |= BITS[namespace.type];
  }
  return bits;
}

/** The mappings of config.json as lines of an id map. */
export function mapOf(mappings: Spec['linux']['uidMappings']): IdMap {
  return (mappings ?? []).map(line => [line.containerID, line.hostID, line.size] as const);
}
