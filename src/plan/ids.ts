import { refuse, type IdPlan, type PlanContext } from './context.ts';
import { autoMap } from './id-auto.ts';
import { buildMap, entriesOf, keepId } from './id-build.ts';
import { append, compose, fromHost, relative, toHost } from './id-maps.ts';
import type { SpecIdMapping } from './spec.ts';
import type { PlanFacts } from './types.ts';

/*
 * Theory of operation. An account's store owns its layers through the account's default map: id 0 of the image is the
 * account, id n the nth subordinate id. The ids on this side are called intermediate. A container's map leads from the container's
 * ids to intermediate ones, and these two composed are what the kernel is given.
 *
 * A map that is not the default one would show image files under other ids. Root mounts the layers through the map (`idMapped`). An
 * account may not (the kernel asks for privileges over the file system): its layers are copied once for each map (run/mapped-layers.ts).
 * The container's root then often has no way to the store and other directories that are closed to others, so everything is opened
 * in the namespace outside, which has the intermediate ids (`outer`; ops/outside.ts).
 */

const NONE: IdPlan = { own: false, uid: [], gid: [], idMapped: false };

/** Uids of DynamicUser= (systemd.exec(5), UIDS-GIDS.md). */
const DYNAMIC_FIRST = 61184;
const DYNAMIC_LAST = 65519;

export function planIds(context: PlanContext): IdPlan {
  const { request, facts } = context;
  const { userns } = request;
  if (userns.kind === 'join') return planJoin(context, userns.target);
  if (facts.uid !== 0 && !checkAccount(context)) return NONE;
  if (facts.uid === 0 && (userns.kind === 'default' || userns.kind === 'host')) return NONE;
  const uid = planSide(context, 'uid', baseOf(context, 'uid'));
  // What is wrong with both is said once.
  const gid = uid && planSide(context, 'gid', baseOf(context, 'gid'));
  if (uid === undefined || gid === undefined) return NONE;
  return withOuter(context, { own: true, uid, gid, idMapped: false }, 'their ids do not exist here');
}

/** The map of a pod or of another container: its layers need it as well. */
function planJoin(context: PlanContext, target: string): IdPlan {
  const { facts } = context;
  const join = facts.joins[`user ${target}`];
  if (join === undefined) {
    refuse(context, '--userns', `--userns ${target}: there is no such user namespace`);
    return NONE;
  }
  const { uid = [], gid = [] } = facts.joinedMaps ?? {};
  const ids = { ...NONE, join, uid, gid };
  if (uid.length === 0) return ids;
  if (facts.uid !== 0 && fromHost(uid, facts.uid) === undefined) {
    const whose = context.request.pod === undefined ? target : `pod ${context.request.pod}`;
    const hint = 'give that keep-id, or a map with the account, instead of auto or nomap';
    refuse(
      context,
      '--userns',
      `--userns: the map of ${whose} leaves out ${facts.userName}, so nothing else can be in it`,
      hint,
    );
    return NONE;
  }
  return withOuter(context, ids, `the ids of ${target} are not all ours`);
}

/** What another map than that of the store means for layers and directories. `strange`: what is wrong when its ids are not ours. */
function withOuter(context: PlanContext, ids: IdPlan, strange: string): IdPlan {
  const { request, facts } = context;
  const uid = relative(ids.uid, baseOf(context, 'uid'));
  const gid = relative(ids.gid, baseOf(context, 'gid'));
  if (uid === undefined || gid === undefined) {
    refuse(context, '--userns', `--userns: ${strange}`);
    return NONE;
  }
  const own = request.rootfs === undefined || request.rootfs.idmap === true;
  if (isIdentity(uid) && isIdentity(gid)) return ids;
  if (toHost(uid, 0) === undefined || toHost(gid, 0) === undefined) {
    refuse(context, '--userns', "the map has no root: the container's uid 0 and gid 0 must be in it");
    return NONE;
  }
  if (context.foreign && (facts.uid === 0 ? own : fromHost(uid, 0) === undefined)) {
    const hint = 'leave out --userns, --uidmap and --gidmap, or the other runtime';
    refuse(context, '--runtime', '--runtime: such a user namespace works with the built-in runtime alone', hint);
    return NONE;
  }
  return { ...ids, outer: { uid, gid }, idMapped: facts.uid === 0 && own };
}

/** The ids that a container may get: those of root are all that there are. */
function baseOf({ facts }: PlanContext, side: 'uid' | 'gid'): SpecIdMapping[] {
  if (facts.uid === 0) return sameIds(side === 'uid' ? facts.ourUidMap : facts.ourGidMap);
  return side === 'uid' ? intermediate(facts.uid, facts.subUids) : intermediate(facts.gid, facts.subGids);
}

/** What an account needs for a full map; DynamicUser= gets along with its own id. */
function checkAccount(context: PlanContext): boolean {
  const { request, facts } = context;
  const ranges = facts.subUids.length > 0 && facts.subGids.length > 0;
  if (ranges && facts.idMapHelpers) return true;
  const dynamic = facts.uid >= DYNAMIC_FIRST && facts.uid <= DYNAMIC_LAST;
  if (!ranges && (dynamic || request.userns.kind === 'maps')) return true;
  if (ranges) {
    const why = facts.idMapProblem ?? 'newuidmap cannot be used';
    refuse(context, '--userns', `the ids of ${facts.userName} cannot be mapped: ${why}`);
  } else {
    const file = facts.subUids.length > 0 ? '/etc/subgid' : '/etc/subuid';
    refuse(
      context,
      '--userns',
      `${facts.userName} has no subordinate ids in ${file}`,
      `run 'usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${facts.userName}' with a free range`,
    );
  }
  return false;
}

/** An account's own id and its subordinate ones, in order. */
function intermediate(own: number, ranges: PlanFacts['subUids']): SpecIdMapping[] {
  const map: SpecIdMapping[] = [{ containerID: 0, hostID: own, size: 1 }];
  let next = 1;
  for (const range of ranges) {
    append(map, { containerID: next, hostID: range.start, size: range.count });
    next += range.count;
  }
  return map;
}

/** The container's map of uids or gids to host ids. */
function planSide(
  context: PlanContext,
  side: 'uid' | 'gid',
  base: readonly SpecIdMapping[],
): SpecIdMapping[] | undefined {
  const { request, facts } = context;
  const { userns } = request;
  const total = base.reduce((sum, line) => sum + line.size, 0);
  let map: readonly SpecIdMapping[];
  switch (userns.kind) {
    case 'keep-id': {
      if (facts.uid === 0) return [...base];
      if (total < 2) return no(context, `--userns keep-id: ${facts.userName} has no subordinate ids`);
      const kept = side === 'uid' ? (userns.uid ?? facts.uid) : (userns.gid ?? facts.gid);
      map = keepId(kept, Math.min(total, userns.size ?? total));
      break;
    }
    case 'nomap':
      if (facts.uid === 0) return no(context, '--userns nomap is for accounts, not for root');
      map = [{ containerID: 0, hostID: 1, size: total - 1 }];
      break;
    case 'auto': {
      const chosen = autoMap(context, side, base);
      if (typeof chosen === 'string') return no(context, `--userns auto: ${chosen}`);
      map = chosen;
      break;
    }
    case 'maps': {
      const named = namedRanges(context, side);
      if (named === 'wrong') return undefined;
      if (named !== undefined) return named;
      const built = buildMap(entriesOf(userns.uidMaps, userns.gidMaps, side), base, total);
      if (typeof built === 'string') return no(context, `--${side}map: ${built}`);
      map = built;
      break;
    }
    default:
      return [...base];
  }
  const composed = compose(map, base);
  if ('missing' in composed)
    return no(context, `--${side}map: ${side} ${composed.missing} is not one of the ${total} ids of ${facts.userName}`);
  if (composed.length > 340)
    return no(context, `--${side}map: ${composed.length} lines are more than the kernel's 340`);
  return composed;
}

/** --subuidname and --subgidname: the ranges of a name, which facts hold. */
function namedRanges(context: PlanContext, side: 'uid' | 'gid'): SpecIdMapping[] | 'wrong' | undefined {
  const { request, facts } = context;
  const { userns } = request;
  if (userns.kind !== 'maps' || (userns.subUidName === undefined && userns.subGidName === undefined)) return undefined;
  const name = (side === 'uid' ? userns.subUidName : userns.subGidName) ?? userns.subUidName ?? userns.subGidName ?? '';
  if (facts.uid !== 0 && name !== facts.userName) {
    no(context, `--sub${side}name ${name}: an account can use its own ids alone, those of ${facts.userName}`);
    return 'wrong';
  }
  const ranges = side === 'uid' ? facts.subUids : facts.subGids;
  if (facts.uid !== 0) return intermediate(side === 'uid' ? facts.uid : facts.gid, ranges);
  if (ranges.length === 0) {
    no(context, `--sub${side}name ${name}: there is no such name in /etc/sub${side}`);
    return 'wrong';
  }
  const map: SpecIdMapping[] = [];
  let next = 0;
  for (const range of ranges) {
    append(map, { containerID: next, hostID: range.start, size: range.count });
    next += range.count;
  }
  return map;
}

function sameIds(map: readonly SpecIdMapping[]): SpecIdMapping[] {
  return map.map(line => ({ containerID: line.containerID, hostID: line.containerID, size: line.size }));
}

function isIdentity(map: readonly SpecIdMapping[]): boolean {
  return map.every(line => line.containerID === line.hostID);
}

function no(context: PlanContext, message: string, hint?: string): undefined {
  refuse(context, '--userns', message, hint);
  return undefined;
}
