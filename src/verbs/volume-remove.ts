import { isSet } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { removeStored } from '../run/layer.ts';
import { accountMaps } from '../volume/create.ts';
import { isMounted, lockVolume, removeVolumeLocks, unmountVolume, usersOf } from '../volume/mounting.ts';
import { dataPath, listVolumes, requireVolume, volumePath } from '../volume/record.ts';
import { forEachOperand } from './edge.ts';
import { filtersOf } from './labels.ts';
import { storeOf } from './place.ts';
import { removeUser } from './remove-user.ts';
import { filteredVolumes, VOLUME_FILTERS } from './volume-show.ts';

/** `berth volume rm`: status 1 when there is none, 2 when a container uses it, as the peer has them. */
export function removeNamed(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const all = isSet(command, 'all');
  if (all && command.operands.length > 0) throw new Failure(125, '--all and names of volumes exclude each other');
  if (!all && command.operands.length === 0) throw new Failure(125, 'name at least one volume, or give --all');
  const words = all ? listVolumes(host, store).map(record => record.name) : command.operands;
  return forEachOperand(host, words, word => {
    const { name } = requireVolume(host, store, word);
    if (isSet(command, 'force')) for (const user of usersOf(host, name)) removeUser(host, store, command, user);
    removeUnused(host, store, name);
    host.write(1, `${word}\n`);
    return 0;
  });
}

/** `berth volume prune`: anonymous volumes that nobody uses; `--all` or a filter takes named ones as well. */
export function pruneVolumes(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const filters = filtersOf(command, VOLUME_FILTERS);
  if (!isSet(command, 'force')) {
    throw new Failure(
      125,
      'volume prune deletes data for good: say --force to do it; `berth volume ls --filter dangling=true` shows what it takes',
    );
  }
  const all = isSet(command, 'all') || filters.length > 0;
  const chosen = filteredVolumes(host, store, filters).filter(record => all || record.anonymous);
  return forEachOperand(
    host,
    chosen.map(record => record.name),
    name => {
      if (usersOf(host, name).length > 0) return 0;
      removeUnused(host, store, name);
      host.write(1, `${name}\n`);
      return 0;
    },
  );
}

function removeUnused(host: Host, store: string, name: string): void {
  const users = usersOf(host, name);
  if (users.length > 0) throw new Failure(2, `${name}: is in use by container ${users.join(', ')}`);
  if (!unmountVolume(host, store, name, { byHand: true })) throw new Failure(2, `${name}: is in use`);
  const lock = lockVolume(host, store, name, true, false);
  if (lock === undefined) throw new Failure(2, `${name}: a container that uses it is just being started`);
  try {
    if (isMounted(host, dataPath(store, name))) throw new Failure(125, `${name}: it was mounted again`);
    const { uidMap, gidMap } = host.euid === 0 ? { uidMap: [], gidMap: [] } : accountMaps(host);
    removeStored(host, store, volumePath(store, name), uidMap, gidMap);
    removeVolumeLocks(host, store, name);
  } finally {
    lock.release();
  }
}
