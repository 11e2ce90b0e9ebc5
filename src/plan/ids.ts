import { refuse, type IdPlan, type PlanContext } from './context.ts';
import { buildMap, entriesOf, keepId } from './id-build.ts';
import { append, compose, fromHost } from './id-maps.ts';
import type { SpecIdMapping } from './spec.ts';
import type { PlanFacts } from './types.ts';

/*
 * Theory of operation. An account's store owns its layers through the account's default map: id 0 of the image is the
 * account, id n the nth subordinate id. The ids on this side are called intermediate. A container's map leads from the container's
 * ids to intermediate ones, and these two composed are what the kernel is given.
 *
 * An unprivileged account cannot mount layers with another id map (the kernel asks for privileges over the file system). So a
 * map that is not the default one shows image files under other ids. keep-id therefore exchanges two ids and leaves all others in
 * place: the kept id is the account, and root is the subordinate id that had the kept id's place. Files of the image's root then
 * belong to the kept user, all other files to whom the image says. (Podman shifts all ids below the kept one by one and copies
 * every image to repair that.) Maps in which the image's root has no id at all are refused by name.
 */

const NONE: IdPlan = { own: false, uid: [], gid: [], idMapped: false };

/** Uids of DynamicUser= (systemd.exec(5), UIDS-GIDS.md). */
const DYNAMIC_FIRST = 61184;
const DYNAMIC_LAST = 65519;

export function planIds(context: PlanContext): IdPlan {
  const { request, facts } = context;
  const { userns } = request;
  if (userns.kind === 'join') {
    const join = facts.joins[`user ${userns.target}`];
    if (join !== undefined) return { ...NONE, join, ...facts.joinedMaps };
    refuse(context, '--userns', `--userns ${userns.target}: there is no such user namespace`);
    return NONE;
  }
  if (facts.uid === 0) return planRoot(context);
  if (!checkAccount(context)) return NONE;
  const uid = planSide(context, 'uid', intermediate(facts.uid, facts.subUids));
  // What is wrong with both is said once.
  const gid = uid && planSide(context, 'gid', intermediate(facts.gid, facts.subGids));
  return uid === undefined || gid === undefined ? NONE : { own: true, uid, gid, idMapped: false };
}

/** Root has no user namespace unless it asks for one; then its layers, owned by host ids, need an id map. */
function planRoot(context: PlanContext): IdPlan {
  const { request, facts } = context;
  const { userns } = request;
  if (userns.kind === 'default' || userns.kind === 'host') return NONE;
  const uid = planSide(context, 'uid', sameIds(facts.ourUidMap));
  const gid = planSide(context, 'gid', sameIds(facts.ourGidMap));
  if (uid === undefined || gid === undefined) return NONE;
  const idMapped = request.rootfs === undefined && !(isIdentity(uid) && isIdentity(gid));
  if (idMapped && !facts.idMappedLayers) {
    refuse(
      context,
      '--userns',
      'a container of root with a user namespace of its own needs image layers with an id map, which this version does not mount',
      'run the unit with User= of an account instead, or use --rootfs',
    );
  }
  return { own: true, uid, gid, idMapped };
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
      if (facts.uid === 0) return sameIds(base);
      if (total < 2) return no(context, `--userns keep-id: ${facts.userName} has no subordinate ids`);
      const kept = side === 'uid' ? (userns.uid ?? facts.uid) : (userns.gid ?? facts.gid);
      map = keepId(kept, Math.min(total, userns.size ?? total));
      break;
    }
    case 'nomap':
      if (facts.uid === 0) return no(context, '--userns nomap is for accounts, not for root');
      map = [{ containerID: 0, hostID: 1, size: total - 1 }];
      break;
    case 'auto':
      return no(context, '--userns auto is not in this version of Berth; give --uidmap and --gidmap');
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
  return checkLayers(context, side, map) ? composed : undefined;
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

/** An account's layers under another map: the image's root must have an id, or nothing of the image could be written or even read. */
function checkLayers(context: PlanContext, side: 'uid' | 'gid', map: readonly SpecIdMapping[]): boolean {
  const { request, facts } = context;
  const { userns } = request;
  if (facts.uid === 0 || request.rootfs !== undefined) return true;
  const owner = fromHost(map, 0);
  if (owner === undefined) {
    no(
      context,
      `--userns ${userns.kind === 'maps' ? `with --${side}map` : userns.kind} leaves out ${facts.userName}, who owns the image's files: an account cannot mount them under another map`,
      'use keep-id, or --rootfs',
    );
    return false;
  }
  if (owner !== 0 && side === 'uid')
    context.warnings.push(`files of the image's root belong to uid ${owner} in this container`);
  return true;
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
