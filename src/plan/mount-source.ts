import { refuse, type IdPlan, type PlanContext } from './context.ts';
import { readTriple } from './id-maps.ts';
import type { MountOptions, MountRequest } from './request.ts';
import type { SpecIdMapping, SpecMount } from './spec.ts';

/**
 * A source that lies in another which the container may write: the payload could put a link into its path, and the next start would mount
 * (or give away) what that leads to on the host.
 */
export function withinOf({ request, facts }: PlanContext, source: string): { within?: string } {
  const { rootfs, mounts } = request;
  const tops = rootfs === undefined || rootfs.overlay || request.readOnly ? [] : [rootfs.path];
  for (const mount of mounts) {
    if ((mount.kind !== 'bind' && mount.kind !== 'volume') || mount.options.readOnly || mount.options.overlay) continue;
    tops.push(mount.kind === 'bind' ? mount.source : (facts.volumes[`volume:${mount.source}`]?.path ?? ''));
  }
  const [within] = tops.filter(top => top !== '' && source.startsWith(`${top}/`)).sort((a, b) => a.length - b.length);
  return within === undefined ? {} : { within };
}

/** For a mount that is of one container alone, and no bind. A volume can then be mounted once. */
export function refuseBindWords(
  context: PlanContext,
  mount: Extract<MountRequest, { options: MountOptions }>,
  what: string,
): void {
  const { source, target, kind } = mount;
  const { chown, overlay, idmap } = mount.options;
  const word = chown ? 'U' : overlay ? 'O' : idmap === undefined ? '' : 'idmap';
  if (word !== '') refuse(context, '--volume', `${target}: ${word} does not go with ${what}`);
  const same = context.request.mounts.filter(one => one.kind === 'volume' && one.source === source);
  if (kind === 'volume' && source !== '' && same.length > 1)
    refuse(context, '--volume', `${source}: ${what} can be mounted in one place of a container`);
}

/** `idmap`: the container's maps; `idmap=uids=A-B-N#…;gids=…`: file system id A is id B for N ids. Only root may mount so. */
export function withIdMap(context: PlanContext, ids: IdPlan, mount: SpecMount, text: string): SpecMount {
  if (context.facts.uid !== 0) {
    refuse(
      context,
      '--volume',
      `${mount.destination}: the kernel lets only root mount with an id map`,
      'use --userns keep-id or :U',
    );
    return mount;
  }
  if (text === '') {
    if (!ids.own)
      refuse(
        context,
        '--volume',
        `${mount.destination}: idmap without a user namespace of the container`,
        'give the ids, or --userns',
      );
    return { ...mount, uidMappings: [...ids.uid], gidMappings: [...ids.gid] };
  }
  const maps: { uids?: SpecIdMapping[]; gids?: SpecIdMapping[] } = {};
  for (const part of text.split(';')) {
    const [side, list = ''] = part.split('=');
    const lines = list.split('#').map(readTriple);
    if ((side !== 'uids' && side !== 'gids') || lines.includes(undefined)) {
      refuse(
        context,
        '--volume',
        `${mount.destination}: idmap=${text}: not understood`,
        'write idmap=uids=A-B-N#C-D-M;gids=A-B-N',
      );
      return mount;
    }
    maps[side] = lines.filter(line => line !== undefined);
  }
  const { uids = maps.gids ?? [], gids = uids } = maps;
  return { ...mount, uidMappings: uids, gidMappings: gids };
}
