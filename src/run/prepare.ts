import { HostError, type Host } from '../host/host.ts';
import { parseReference } from '../image/reference.ts';
import { findImage, type FoundImage } from '../image/resolve.ts';
import type { ImageRecord } from '../image/types.ts';
import { healthPlan, type HealthPlan } from '../plan/health.ts';
import { makePlan } from '../plan/plan.ts';
import type { RunRequest } from '../plan/request.ts';
import type { LogFile } from '../plan/log-file.ts';
import type { Plan, PlanFacts } from '../plan/types.ts';
import { collectFacts, readInLayers } from './facts.ts';
import { Failure, failureOf } from './failure.ts';
import { layerPath, readNote } from './layer.ts';
import { planLogFile } from './log-file.ts';
import { withTrueNames } from './labels.ts';
import { withCopies, type LayerCopy } from './mapped-layers.ts';
import { withMountPoints } from './mount-points.ts';
import type { Parts, VolumeChoice } from './parts.ts';

/** All that is known before the first effect of a start. */
export interface Prepared {
  readonly image?: ImageRecord;
  readonly volumes: VolumeChoice;
  /** Writable layer in the store; empty: none. */
  readonly layer: string;
  readonly plan: Plan;
  /** A lower layer that has to be there (mount-points.ts). */
  readonly mountPoints?: string;
  /** Layers with other owners that have to be there (mapped-layers.ts). */
  readonly copies: readonly LayerCopy[];
  /** What the relay asks; absent: nothing. */
  readonly health?: HealthPlan;
  /** A log that is no journal. */
  readonly logFile?: LogFile;
  /** What /etc/hosts begins with; absent: what the host's does. */
  readonly hosts?: string;
  /** The plan's, and what else is odd. */
  readonly warnings: readonly string[];
}

/** Where a start is going to put things. */
export interface Place {
  readonly store: string;
  /** The image, when it was looked for before. */
  readonly image?: FoundImage;
  readonly ensure?: () => FoundImage | undefined;
  readonly name: string;
  /** The container is started again, with the files that it has (again.ts). */
  readonly again?: boolean;
  readonly bundle: string;
  /** Controllers that the payload's group can have. */
  readonly controllers: readonly string[];
  readonly notifySocket: boolean;
  /** Another OCI runtime that gets the bundle; empty: ours. */
  readonly foreign: string;
}

/** Finds the image, decides on volumes, collects facts and plans. Makes nothing. */
export function prepare(host: Host, parts: Parts, request: RunRequest, place: Place): Prepared {
  const found = request.image === undefined ? undefined : (place.image ?? requireImage(host, place.store, request));
  // A directory in the bundle is ours, and is made with it.
  const root = request.rootfs?.path;
  if (root !== undefined && !root.startsWith(`${place.bundle}/`)) requireDirectory(host, root);
  const note = place.again === true ? readNote(host, layerPath(place.store, place.name)) : undefined;
  const volumes = parts.volumes.choose(host, place.store, request, found?.record, note?.anonymousVolumes);
  const layer = needsLayer(request) ? layerPath(place.store, place.name) : '';
  const facts = collectFacts(host, {
    request,
    layers: found?.layers ?? [],
    layer,
    bundle: place.bundle,
    volumes: volumes.volumes,
    secrets: secretsOf(host, parts, request, place.store),
    controllers: place.controllers,
    notifySocket: place.notifySocket,
    ...(found === undefined ? {} : { image: found.record }),
  });
  if (facts.isErr()) throw failureOf(facts.error);
  const input = { request, facts: facts.value };
  const plan = makePlan(found === undefined ? input : { ...input, image: found.record });
  if (plan.isErr()) throw failureOf(plan.error);
  const log = planLogFile(host, request, place.store);
  const hosts = hostsOf(host, request, found?.layers ?? []);
  const health = checkedHealth(host, request, place, found?.record);
  const mapped = withCopies(host, place.store, withTrueNames(host, plan.value));
  const points = found === undefined ? undefined : withMountPoints(host, place.store, mapped.plan);
  const prepared = {
    volumes,
    layer,
    plan: points?.plan ?? mapped.plan,
    copies: mapped.copies,
    ...(points === undefined ? {} : { mountPoints: points.path }),
    ...(health === undefined ? {} : { health }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(log.file === undefined ? {} : { logFile: log.file }),
    warnings: [...plan.value.warnings, ...log.warnings],
  };
  return found === undefined ? prepared : { ...prepared, image: found.record };
}

/** `--hosts-file`. */
function hostsOf(host: Host, { hostsFile, rootfs }: RunRequest, layers: readonly string[]): string | undefined {
  if (hostsFile === '') return undefined;
  if (hostsFile === 'none') return '';
  if (hostsFile === 'image') return readInLayers(host, rootfs === undefined ? layers : [rootfs.path], '/etc/hosts');
  try {
    return host.readFile(hostsFile, 4 << 20);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new Failure(125, `--hosts-file ${error.message}`);
  }
}

/** Content by name; the plan refuses a name that is not there. */
function secretsOf(host: Host, parts: Parts, request: RunRequest, store: string): PlanFacts['secrets'] {
  const secrets: Record<string, string> = {};
  for (const { name } of request.secrets) {
    const data = parts.secrets.read(host, store, name);
    if (data !== undefined) secrets[name] = data;
  }
  return secrets;
}

function checkedHealth(
  host: Host,
  request: RunRequest,
  place: Place,
  image: ImageRecord | undefined,
): HealthPlan | undefined {
  const health = healthPlan(request, image?.config);
  if (typeof health === 'string') throw new Failure(125, health);
  if (health === undefined) return undefined;
  if (place.foreign !== '' && [health.startup, health.health].some(check => check?.kind === 'exec'))
    throw new Failure(
      125,
      `--runtime ${place.foreign}: a health check by command works with the built-in runtime alone`,
    );
  const { logDirectory } = health;
  if (logDirectory !== '' && host.stat(logDirectory)?.kind !== 'directory')
    throw new Failure(125, `--health-log-destination ${logDirectory}: not a directory`);
  return health;
}

/** A read-only root, too: the mount points that the image lacks are made in the layer, never in the image's own. */
function needsLayer(request: RunRequest): boolean {
  return request.rootfs === undefined || request.rootfs.overlay;
}

function requireDirectory(host: Host, path: string): void {
  let kind: string | undefined;
  try {
    kind = host.stat(path)?.kind;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new Failure(125, `--rootfs ${error.message}`);
  }
  if (kind === 'directory') return;
  const what = kind === undefined ? 'there is no such directory' : 'not a directory';
  throw new Failure(125, `--rootfs ${path}: ${what}; name the directory of an unpacked root file system`);
}

/** Nothing is fetched here: run/fetch.ts did, or was not to. */
export function requireImage(host: Host, store: string, request: RunRequest): FoundImage {
  const reference = request.image ?? '';
  const found = findImage(host, store, reference);
  if (found !== undefined) return found;
  if (parseReference(reference) === undefined)
    throw new Failure(125, `${reference}: not a name of an image; write NAME[:TAG] or NAME@DIGEST in lower case`);
  const why = request.pull === 'never' ? ', and --pull=never forbids to fetch it' : `; berth pull ${reference}`;
  throw new Failure(125, `${reference}: no such image in ${store}${why}`);
}
