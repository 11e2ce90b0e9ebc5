import type { Problem } from '../base/problem.ts';
import type { Result } from '../base/result.ts';
import type { Host, Lock } from '../host/host.ts';
import type { ImageRecord } from '../image/types.ts';
import type { RunRequest } from '../plan/request.ts';
import type { Nest } from '../ops/compile.ts';
import type { Spec } from '../plan/spec.ts';
import type { PlanFacts } from '../plan/types.ts';
import type { IdMap } from './ids.ts';
import type { ContainerState } from './state.ts';
import type { Undo } from './undo.ts';

/**
 * What a start needs from the folders above this one (imports go one way): the verbs hand it in, a test hands in its own.
 */
export interface Parts {
  readonly network: NetworkPart;
  readonly volumes: VolumePart;
  readonly secrets: SecretPart;
  readonly systemd: SystemdPart;
}

export type NetworkState = ContainerState['network'];

export interface NetworkPlace {
  readonly pid: number;
  readonly netnsPath: string;
  readonly store: string;
  readonly bundle: string;
  readonly name: string;
  readonly uid: number;
  /** What /etc/hosts begins with; absent: what the host's does. */
  readonly hosts?: string;
}

export interface NetworkPart {
  /** With a number for each port that the request leaves open: others are told what it is. */
  choosePorts(host: Host, ports: RunRequest['ports']): RunRequest['ports'];
  /** The user namespace of an account's networks, when the container is to be in one of them; undefined: it needs none. */
  nest(host: Host, request: RunRequest, spec: Spec): Result<Nest | undefined, Problem>;
  setUp(host: Host, request: RunRequest, place: NetworkPlace): Result<NetworkState, Problem>;
  tearDown(host: Host, state: NetworkState): Result<void, Problem[]>;
}

/** What a start is going to use of volumes; see volume/volumes.ts. */
export interface VolumeChoice {
  readonly volumes: PlanFacts['volumes'];
  readonly anonymous: readonly string[];
  readonly missing: readonly string[];
  readonly fresh: readonly string[];
  /** Those that have a name of their own: they outlive the container. */
  readonly named: readonly string[];
  /** Ids of the images that are mounted, by themselves or as volumes. */
  readonly images: readonly string[];
}

/** Volumes of a container that is removed. */
export interface VolumesOf {
  readonly anonymous: readonly string[];
  readonly named: readonly string[];
  /** It still counts as their user; empty when it is gone. */
  readonly bundle: string;
}

export interface SecretPart {
  /** The bytes of a secret; undefined when there is none of this name. */
  read(host: Host, store: string, name: string): string | undefined;
}

export interface VolumePart {
  /** `before`: the anonymous volumes of this container when it was started last. */
  choose(host: Host, store: string, request: RunRequest, image?: ImageRecord, before?: readonly string[]): VolumeChoice;
  /** The locks are held until the container is listed as the user of its volumes. */
  create(host: Host, store: string, choice: VolumeChoice, undo: Undo): Lock[];
  /** The container with this bundle needs them no more. */
  release(host: Host, store: string, names: readonly string[], bundle: string): string[];
  markFilled(host: Host, store: string, choice: VolumeChoice): void;
  remove(host: Host, store: string, of: VolumesOf, uidMap: IdMap, gidMap: IdMap): string[];
}

export interface SystemdPart {
  /** A connection to a manager for one wish; it is being made while the caller works. Throws when there is nobody. */
  linkTo(host: Host, manager: 'system' | 'user'): ManagerLink;
}

export interface ScopeWish {
  readonly description: string;
  readonly pids: readonly number[];
  /** `machine.slice`; absent: the manager's choice. */
  readonly slice?: string;
  /** Units that must be there first. */
  readonly requires?: readonly string[];
  /** CPUWeight= (1 to 10000) of a scope that is not delegated. */
  readonly weight?: number;
}

export interface ManagerLink {
  /** Asks for a scope with processes in it, delegated unless it has a weight; the result waits until they are there. */
  beginScope(scope: string, wish: ScopeWish): () => void;
  /** Moves a process into a group below a unit's own (`subgroup` starts with `/`); the manager may write where we may not. */
  attach(unit: string, subgroup: string, pid: number): void;
  close(): void;
}
