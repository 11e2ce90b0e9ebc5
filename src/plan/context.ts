import { problem, type Problem } from '../base/problem.ts';
import type { ImageConfig } from '../image/types.ts';
import { printable } from './printable.ts';
import type { RunRequest } from './request.ts';
import type { SpecIdMapping } from './spec.ts';
import type { PlanFacts, PlanInput } from './types.ts';

/** What every topic of a plan looks at; problems and warnings gather here, so that all of them are told at once. */
export interface PlanContext {
  readonly request: RunRequest;
  readonly facts: PlanFacts;
  /** Only the fields of ImageConfig: an image says what runs, never how it is confined (T14). */
  readonly image?: ImageConfig;
  readonly problems: Problem[];
  readonly warnings: string[];
  /** The bundle goes to another runtime, which has no fallbacks of ours. */
  readonly foreign: boolean;
}

/** The user namespace of the container; empty maps: none, or that of another container whose maps are not known. */
export interface IdPlan {
  /** A new one. */
  readonly own: boolean;
  /** Path of one to join. */
  readonly join?: string;
  readonly uid: readonly SpecIdMapping[];
  readonly gid: readonly SpecIdMapping[];
  /** The layers belong to other ids than the maps give: root mounts them with an id map. */
  readonly idMapped: boolean;
  /**
   * The maps in ids of the namespace outside: the host's for root, an account's intermediate ones. Absent: layers and directories have
   * the owners that the maps give them.
   */
  readonly outer?: { readonly uid: readonly SpecIdMapping[]; readonly gid: readonly SpecIdMapping[] };
}

export function newContext(input: PlanInput): PlanContext {
  const { request, facts, image } = input;
  const foreign = request.runtime !== undefined && request.runtime !== '' && request.runtime !== 'berth';
  const context = { request, facts, problems: [], warnings: request.leftOut.map(one => one.text), foreign };
  return image === undefined ? context : { ...context, image: image.config };
}

/** Notes a problem. `key` is the option it is about. */
export function refuse(context: PlanContext, key: string, text: string, hint?: string): void {
  const message = printable(text);
  // Uids and gids often share what is wrong.
  if (context.problems.some(one => one.message === message)) return;
  context.problems.push(problem('plan', message, hint === undefined ? { key } : { key, hint }));
}

/** Whether the payload has a user namespace, own or joined: nothing inside can then be root of the host. */
export function hasUserNamespace(ids: IdPlan): boolean {
  return ids.own || ids.join !== undefined;
}

/** Whether our overlays are mounted inside the user namespace: root mounts them outside where it is not the owner of all inside. */
export function mountsInside({ facts }: PlanContext, ids: IdPlan): boolean {
  return hasUserNamespace(ids) && (facts.uid !== 0 || ids.outer === undefined);
}
