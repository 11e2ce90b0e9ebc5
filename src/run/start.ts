/**
 * Theory of operation: how a container starts (DESIGN section 3; packaging/decisions/0002-processes.md for the dialogue).
 *
 *  1. Where am I (context.ts, place.ts)? In a unit that waits for us: hand the payload over. Started by a person: enter a transient scope
 *     and attend. (`-d` by a person never comes here: verbs/run-detached.ts lets systemd start us again in a transient unit.)
 *  2. Free the name, take its lock, remove what a crash left (recover.ts).
 *  3. Lock the image, find volumes, collect facts, plan (prepare.ts). Up to here nothing was made; every bad wish was refused.
 *  4. Compile operations, make pipes and control group, clone the stage, map its ids; it stops at `created` (begin.ts).
 *  5. While newuidmap works and systemd makes a person's scope: volumes, writable layer, bundle (make.ts). The stage is in the payload's
 *     group before it gets its ids and does its first step. Network.
 *  6. The stage builds the root and stops at `ready`. state.json is written: from now on others see the container.
 *  7. Hand over: relay, MAINPID= with a barrier, `go ready`, exit 0. Or attend: relay or terminal, `go ready`, wait, clean up (finish.ts).
 *
 * Each step adds to the undo list; a failure before 7 takes all back in reverse order. SIGKILL of the launcher at any point: the stage
 * notices the end of its control socket and exits; files are left to the next start or to ExecStopPost=.
 */
import { isNamedNetwork } from '../command/networks.ts';
import { CLONE, type Child, type Host, type Lock } from '../host/host.ts';
import { lockImage } from '../image/lock.ts';
import { findImage, isThere, type FoundImage } from '../image/resolve.ts';
import { compileRun, type Nest } from '../ops/compile.ts';
import type { Op } from '../ops/ops.ts';
import type { RunRequest } from '../plan/request.ts';
import type { Spec } from '../plan/spec.ts';
import { begin, namespacesOf } from './begin.ts';
import { Failure, failureOf } from './failure.ts';
import { limitDevices } from './device-rules.ts';
import { attendPayload, handOver, reachReady, type Started } from './finish.ts';
import { foreignOps, stageSpec } from './foreign.ts';
import { keepsInput } from './input.ts';
import { lockIds, lockName } from './locks.ts';
import { make, makeGroup, type Made } from './make.ts';
import { storeMaps } from './mapped-layers.ts';
import type { Parts } from './parts.ts';
import { setUpNetwork, withPorts } from './network.ts';
import { choosePlace, type StartPlace, type Wanted } from './place.ts';
import { prepare, requireImage, type Prepared } from './prepare.ts';
import { stopForReplace, takeAgain, takeName } from './recover.ts';
import { joinedShm } from './shm.ts';
import { startRelay } from './relay-start.ts';
import { makeStreams } from './streams.ts';
import { makeUndo, type Undo } from './undo.ts';
import { madeAt } from './state.ts';
import { findNamed } from './containers.ts';

/** Runs a container; the exit status of the command. */
export function startContainer(host: Host, parts: Parts, request: RunRequest, wanted: Wanted): number {
  const place = choosePlace(host, parts, request, wanted);
  const { again } = place;
  const check = (): void => void prepare(host, parts, request, place);
  if (again !== true) stopForReplace(host, place.context, place.name, request.replace, check);
  const undo = makeUndo();
  const locks = [lockName(host, place.store, place.name)];
  // Who attends is the one who waits for the relay: it can be there before the payload is.
  const attends = !place.handsOver && !place.context.inUnit;
  let started: Started;
  const before = again === true ? findNamed(host, place.name)?.state : undefined;
  let relay: Child | undefined;
  try {
    if (again === true) undo.add(place.bundle, takeAgain(host, parts, place.store, place));
    else takeName(host, parts, place.store, place.name);
    const begun = startUnderLock(host, parts, request, place, undo, locks);
    started = before === undefined ? begun : { ...begun, first: madeAt(before) };
    const attended = started;
    reachReady(host, parts, started, () => {
      if (attends) relay = startRelay(host, attended, false);
    });
    if (place.handsOver) handOver(host, started);
  } catch (error) {
    const lines = undo.run();
    if (relay !== undefined) host.wait(relay);
    throw withUndo(error, lines);
  } finally {
    for (const lock of locks) lock.release();
  }
  if (place.handsOver) return 0;
  return attendPayload(host, parts, started, attends ? relay : startRelay(host, started, false));
}

function startUnderLock(
  host: Host,
  parts: Parts,
  request: RunRequest,
  chosen: StartPlace,
  undo: Undo,
  locks: Lock[],
): Started {
  const prepared = prepareLocked(host, parts, request, chosen, locks);
  const { spec } = prepared.plan;
  const streams = makeStreams(host, request, spec, {
    relays: chosen.foreign !== '' && chosen.console === '',
    keepsInput: keepsInput(host, request, chosen.handsOver),
    attended: !chosen.handsOver && !chosen.context.inUnit,
  });
  const stage = chosen.foreign === '' ? spec : stageSpec(prepared.plan);
  // A stage that waits for its id maps can be moved before it does anything: it is made while systemd makes the scope. With a named
  // network the scope comes first: it brings the namespace that the stage is made in.
  const named = host.euid !== 0 && request.networks.some(isNamedNetwork);
  const { outside } = prepared.plan;
  const moved = chosen.late && !named && !outside && (namespacesOf(stage) & CLONE.NEWUSER) !== 0;
  if (chosen.late && !moved) chosen.enter();
  let place = moved ? chosen : chosen.arrive();
  const nest = nestOf(host, parts, request, spec);
  const shm = joinedShm(host, request);
  const { ops, descriptors } = compileStage(host, request, prepared, chosen, { nest, shm });
  let group = makeGroup(host, prepared, place, undo);
  let put: Made = { locks: [] };
  const meanwhile = (): void => {
    put = make(host, parts, prepared, chosen, undo, request.remove);
    locks.push(...put.locks);
  };
  const arrive = (pid: number): void => {
    place = chosen.arrive();
    group = makeGroup(host, prepared, place, undo, pid);
  };
  const begun = begin(
    host,
    {
      spec: stage,
      ops,
      descriptors,
      sibling: place.handsOver,
      nested: nest !== undefined,
      ...(outside ? { outside: storeMaps(host), fresh: prepared.volumes.fresh } : {}),
      group: group?.directory ?? '',
      streams,
      meanwhile,
      ...(moved ? { enter: (pid: number) => chosen.enter(pid), arrive } : {}),
    },
    undo,
  );
  const made: Made = group === undefined ? put : { ...put, group };
  // The stage waits: no payload has run in the group.
  if (chosen.foreign === '') limitDevices(host, prepared.plan.spec, group);
  if (shm !== undefined) host.close(shm);
  const asked = withPorts(host, parts, request);
  const network = setUpNetwork(host, parts, asked, place, prepared, begun, undo);
  return { request: asked, place, prepared, made, streams, begun, network, undo };
}

/** Locks what the start is going to use, and prepares it. */
export function prepareLocked(
  host: Host,
  parts: Parts,
  request: RunRequest,
  chosen: StartPlace,
  locks: Lock[],
): Prepared {
  // May fetch the image once more: not under the lock for which every start with ids of its own waits.
  const image = request.image === undefined ? undefined : holdImage(host, request, chosen, locks);
  if (request.userns.kind === 'auto') locks.push(lockIds(host, chosen.store));
  const prepared = prepare(host, parts, request, image === undefined ? chosen : { ...chosen, image });
  holdMounted(host, chosen.store, prepared.volumes.images, locks);
  for (const warning of prepared.warnings) host.write(2, `berth: warning: ${warning}\n`);
  return prepared;
}

const ATTEMPTS = 3;

/**
 * Until state.json says that the image is in use, `rmi` must not take it away. Before we had the lock it may have: then the image is found or
 * fetched once more.
 */
function holdImage(host: Host, request: RunRequest, chosen: StartPlace, locks: Lock[]): FoundImage {
  const { store } = chosen;
  let found = chosen.image ?? requireImage(host, store, request);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const lock = lockImage(host, store, found.record.id, false, true);
    if (lock !== undefined && isThere(host, found)) {
      locks.push(lock);
      return found;
    }
    lock?.release();
    found = chosen.ensure?.() ?? requireImage(host, store, request);
  }
  throw new Failure(125, `${request.image ?? ''}: it is removed as fast as it comes; try again`);
}

/** The same for images that are mounted. */
function holdMounted(host: Host, store: string, ids: readonly string[], locks: Lock[]): void {
  for (const id of ids) {
    const lock = lockImage(host, store, id, false, true);
    if (lock !== undefined) locks.push(lock);
    if (findImage(host, store, id) === undefined)
      throw new Failure(125, `the image ${id.slice(0, 12)}, which is to be mounted, was removed meanwhile`);
  }
}

/** The user namespace that an account's networks want the container's below. Throws a Failure when it is not there. */
export function nestOf(host: Host, parts: Parts, request: RunRequest, spec: Spec): Nest | undefined {
  const nest = parts.network.nest(host, request, spec);
  if (nest.isErr()) throw failureOf([nest.error]);
  return nest.value;
}

/** Our stage becomes the payload, or the other runtime that makes it. */
function compileStage(
  host: Host,
  request: RunRequest,
  prepared: Prepared,
  place: StartPlace,
  { nest, shm }: { readonly nest: Nest | undefined; readonly shm: number | undefined },
): { ops: readonly Op[]; descriptors: readonly number[] } {
  const { plan } = prepared;
  const { bundle, foreign } = place;
  if (foreign === '') {
    const known = { ...(nest === undefined ? {} : { nest }), ...(shm === undefined ? {} : { shm }) };
    return compileRun(host, plan, { bundle, ...known });
  }
  if (nest !== undefined)
    throw new Failure(125, `--runtime ${foreign}: an account's networks work with the built-in runtime alone`);
  return { ops: foreignOps(plan, request, place, shm), descriptors: shm === undefined ? [] : [shm] };
}

/** The first error is what is said; what could not be taken back follows it. */
export function withUndo(error: unknown, lines: string[]): unknown {
  if (lines.length === 0 || !(error instanceof Error)) return error;
  if (error instanceof Failure) return new Failure(error.status, [...error.lines, ...lines]);
  return new Failure(125, [error.message, ...lines]);
}
