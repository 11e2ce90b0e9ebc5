/**
 * Theory of operation: `oci create`. The same stage as for `berth run`, fed from a foreign bundle. Our caller's process (podman's monitor,
 * containerd's shim) is to be the payload's parent: we are gone after `create`, so the payload is left to the next subreaper. It waits, its
 * root in place and its confinement not yet on, for one byte on a socket; `oci start` sends it.
 */
import type { Host } from '../host/host.ts';
import { compileRun } from '../ops/compile.ts';
import type { Op } from '../ops/ops.ts';
import type { Spec } from '../plan/spec.ts';
import type { Plan } from '../plan/types.ts';
import { begin } from './begin.ts';
import { awaitSync } from './dialogue.ts';
import { Failure } from './failure.ts';
import { makeFileGroup, makeScopeGroup } from './oci-group.ts';
import { hooksOf, refuseHooks, runHooks } from './oci-hooks.ts';
import { limitsOf } from './oci-limits.ts';
import { stateText } from './oci-manage.ts';
import { readSpec, withMaps } from './oci-spec.ts';
import { ociDirectory, writeRecord, type OciRecord } from './oci-record.ts';
import type { Parts } from './parts.ts';
import { makeUndo, type Undo } from './undo.ts';

export interface OciCreateRequest {
  readonly root: string;
  readonly id: string;
  readonly bundle: string;
  readonly pidFile: string | undefined;
  readonly consoleSocket: string | undefined;
  readonly preserveFds: number;
  readonly systemdCgroup: boolean;
  readonly noNewKeyring: boolean;
}

/** A container that waits for its start. */
export interface OciCreated {
  readonly record: OciRecord;
  readonly pidfd: number;
  /** Pty master, when there was no console socket to hand it to. */
  readonly terminal?: number;
}

export function ociCreate(host: Host, parts: Parts, request: OciCreateRequest): OciCreated {
  const spec = withMaps(host, readSpec(host, request.bundle));
  const directory = ociDirectory(request.root, request.id);
  host.mkdirs(request.root, 0o700);
  if (!host.mkdir(directory, 0o700)) throw new Failure(1, `${request.id}: exists already in ${request.root}`);
  const undo = makeUndo();
  undo.add(directory, () => host.removeTree(directory));
  try {
    const created = createInside(host, parts, request, spec, undo);
    undo.forget();
    return created;
  } catch (error) {
    undo.run();
    throw error instanceof Failure ? new Failure(1, error.lines) : error;
  }
}

function createInside(host: Host, parts: Parts, request: OciCreateRequest, spec: Spec, undo: Undo): OciCreated {
  const directory = ociDirectory(request.root, request.id);
  const hooks = hooksOf(host, request.bundle);
  refuseHooks(hooks);
  const limits = limitsOf(spec.linux.resources);
  const path = spec.linux.cgroupsPath;
  let cgroup = request.systemdCgroup ? '' : makeFileGroup(host, path, limits, undo);
  let scope = '';
  const start = host.bindUnix(`${directory}/start`, 'datagram', 0o600);
  const compiled = compileRun(host, planOf(host, request, spec), {
    bundle: request.bundle,
    listen: Array.from({ length: request.preserveFds }, (_, index) => 3 + index),
    awaitFd: start,
    keepKeyring: request.noNewKeyring,
  });
  const ops = request.systemdCgroup ? unshareLater(compiled.ops) : compiled.ops;
  const { descriptors } = compiled;
  const { stage, heard } = begin(
    host,
    {
      spec,
      ops,
      descriptors,
      sibling: false,
      group: cgroup === '' ? '' : `/sys/fs/cgroup${cgroup}`,
      streams: { stdio: ['inherit', 'inherit', 'inherit'], closePayloadEnds: () => undefined },
    },
    undo,
  );
  if (request.systemdCgroup)
    ({ scope, cgroup } = makeScopeGroup(host, parts, stage.pid, { path, id: request.id, limits }));
  const record: OciRecord = {
    version: 1,
    ociVersion: spec.ociVersion,
    id: request.id,
    bundle: request.bundle,
    pid: stage.pid,
    startTime: host.startTime(stage.pid) ?? '',
    created: new Date(host.now() * 1000).toISOString(),
    cgroup,
    scope,
    annotations: spec.annotations ?? {},
  };
  for (const point of ['prestart', 'createRuntime']) runHooks(host, point, hooks, stateText(record, 'creating'));
  host.proceed(stage, 'created');
  awaitSync(host, stage, 'ready', heard);
  writeRecord(host, request.root, record);
  if (request.pidFile !== undefined) host.writeFileAtomic(request.pidFile, String(stage.pid), 0o644);
  const terminal = heard.fds.get('console');
  if (terminal !== undefined && request.consoleSocket !== undefined) sendConsole(host, request.consoleSocket, terminal);
  host.proceed(stage, 'ready');
  const created = { record, pidfd: stage.pidfd };
  return terminal === undefined ? created : { ...created, terminal };
}

/** With a scope the process gets its group while it waits at `created`; the root of its cgroup namespace must be that. */
function unshareLater(ops: readonly Op[]): Op[] {
  const unshare = ops.filter(one => one.name === 'unshare');
  return ops
    .filter(one => one.name !== 'unshare')
    .flatMap(one => (one.name === 'sync' && one.fields[0] === 'created' ? [one, ...unshare] : [one]));
}

/** runc's docs/terminals.md: the master by SCM_RIGHTS, its name as data. */
export function sendConsole(host: Host, path: string, terminal: number): void {
  const socket = host.connectUnix(path, 'stream');
  try {
    host.send(socket, '/dev/ptmx', [terminal]);
  } finally {
    host.close(socket);
  }
}

/** A foreign bundle as a plan: the root is a directory, nothing is copied, and the limits are ours to write. */
function planOf(host: Host, request: OciCreateRequest, spec: Spec): Plan {
  const written = spec.root.path.startsWith('/') ? spec.root.path : `${request.bundle}/${spec.root.path}`;
  const path = host.realpath(written);
  if (path === undefined) throw new Failure(1, `${written}: the root of the bundle is not there`);
  return {
    spec,
    root: { kind: 'directory', path, idMapped: false, nodev: hidesNodes(spec) },
    copyUps: [],
    secretEnvironment: [],
    directories: [],
    mountedLayers: [],
    outside: false,
    files: [],
    chowns: [],
    relabels: [],
    cgroup: [],
    stopSignal: 15,
    stopTimeout: 10,
    init: false,
    keepCwd: false,
    warnings: [],
    defaultSeccomp: false,
  };
}

/** Nodes of the root itself are no devices, but where the bundle allows all of them, or has no /dev of its own to make them in. */
function hidesNodes(spec: Spec): boolean {
  const all = (spec.linux.resources?.devices ?? []).some(rule => rule.allow && (rule.type ?? 'a') === 'a');
  return !all && (spec.mounts ?? []).some(mount => mount.destination === '/dev');
}
