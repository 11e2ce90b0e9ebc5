import type { Bytes } from '../host/host.ts';
import { isTemplate } from '../unit/names.ts';
import { plainBoolean, scalar } from '../unit/values.ts';
import type { Unit } from './model.ts';
import { lastItem, lastOf } from './read.ts';

/** What must be known of all units of a run before one of them is translated. */
export interface Across {
  /** Which file a service is made of, by the service's name without `.service`: the first one in search order. */
  readonly claims: ReadonlyMap<Bytes, Bytes>;
  /** Containers in pods, in search order. */
  readonly members: readonly Member[];
}

/** File name of a pod, and the name of a service that starts with it, without `.service`. */
export type Member = readonly [pod: Bytes, stem: Bytes];

export function acrossOf(units: readonly Unit[]): Across {
  const claims = new Map<Bytes, Bytes>();
  for (const { stem, path } of units) if (!claims.has(stem)) claims.set(stem, path);
  return { claims, members: membersOf(units) };
}

export function membersOf(units: readonly Unit[]): Member[] {
  const members: Member[] = [];
  for (const unit of units) {
    if (unit.name.type !== 'container' || !unit.present.has('Pod')) continue;
    const pod = lastItem(unit, 'Pod')?.value ?? '';
    if (pod.endsWith('.pod') && startsWithPod(unit)) members.push([pod, unit.stem]);
  }
  return members;
}

function startsWithPod(unit: Unit): boolean {
  if (isTemplate(unit.name) || unit.document.problems.length > 0) return false;
  const entry = lastOf(unit, 'StartWithPod');
  return entry === undefined || plainBoolean(scalar(entry.value)) === true;
}

/** Tells the pods among the units who starts with them. */
export function tellPods(units: readonly Unit[], members: readonly Member[]): void {
  if (members.length === 0) return;
  const pods = new Map<Bytes, Unit>();
  for (const unit of units) if (unit.name.type === 'pod') pods.set(unit.name.name, unit);
  for (const [pod, stem] of members) pods.get(pod)?.members.push(stem);
}
