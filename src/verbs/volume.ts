import { VOLUME_VERBS } from '../command/options-storage.ts';
import { allValues, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { findGroup, findUser } from '../host/users.ts';
import { readId } from '../plan/parse-values.ts';
import { isName } from '../run/containers.ts';
import { findContext } from '../run/context.ts';
import { Failure } from '../run/failure.ts';
import { createVolume } from '../volume/create.ts';
import { lockVolume, mountVolume, holdVolume, unmountVolume } from '../volume/mounting.ts';
import { backingOf, ownerIn, readOptions } from '../volume/options.ts';
import { dataPath, readVolume, requireVolume, type VolumeRecord } from '../volume/record.ts';
import { forEachOperand } from './edge.ts';
import { family } from './family.ts';
import { labelsOf } from './labels.ts';
import { storeOf } from './place.ts';
import { exportVolume, importVolume } from './volume-archive.ts';
import { pruneVolumes, removeNamed } from './volume-remove.ts';
import { inspectVolumes, listAll } from './volume-show.ts';

/** `berth volume …` (podman-volume(1)), and what `.volume` units run. */
export const main: (host: Host) => number = family('volume', VOLUME_VERBS, {
  create,
  exists,
  export: exportVolume,
  import: importVolume,
  inspect: inspectVolumes,
  ls: listAll,
  mount,
  prune: pruneVolumes,
  rm: removeNamed,
  unmount,
});

function create(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const record = wanted(host, command);
  const lock = lockVolume(host, store, record.name, true, true);
  try {
    if (readVolume(host, store, record.name) === undefined) createVolume(host, store, withOwner(host, record));
    else if (!isSet(command, 'ignore')) throw new Failure(125, `${record.name}: there is a volume of this name`);
  } finally {
    lock?.release();
  }
  // In a unit it would be a line of the journal that says nothing.
  if (!findContext(host).inUnit) host.write(1, `${record.name}\n`);
  return 0;
}

function wanted(host: Host, command: Command): VolumeRecord {
  const [given] = command.operands;
  const name = given ?? host.random(32);
  if (!isName(name)) {
    throw new Failure(
      125,
      `${name}: not a name of a volume; names match [a-zA-Z0-9][a-zA-Z0-9_.-]* and have at most 255 bytes`,
    );
  }
  const driver = lastValue(command, 'driver') ?? 'local';
  const options = readOptions(name, driver, allValues(command, 'opt'));
  return {
    version: 1,
    name,
    // Podman calls a volume without a name anonymous, too, but only `run` makes those that end with their container.
    anonymous: false,
    created: Math.floor(host.now()),
    filled: driver === 'image',
    labels: labelsOf(command),
    driver: driver === 'image' ? 'image' : 'local',
    options,
    ...idOf(command, 'uid'),
    ...idOf(command, 'gid'),
  };
}

/** Not for a volume that is there: a boot must not hang on a directory service. */
function withOwner(host: Host, record: VolumeRecord): VolumeRecord {
  const options = withIds(host, record.options ?? {});
  const { uid, gid } = record;
  return {
    ...record,
    options,
    ...ownerIn(options),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
}

/** Names in `o=uid=,gid=` become numbers: the generator leaves those there that it cannot look up. */
function withIds(host: Host, options: Record<string, string>): Record<string, string> {
  if (options['o'] === undefined) return options;
  const words = options['o'].split(',').map(word => {
    const [, key, name = ''] = /^(uid|gid)=(.*[^\d].*)$/.exec(word) ?? [];
    if (key === undefined) return word;
    const id = key === 'uid' ? findUser(host, name)?.uid : findGroup(host, name);
    if (id === undefined)
      throw new Failure(125, `--opt o=${word}: there is no such ${key === 'uid' ? 'user' : 'group'}`);
    return `${key}=${id}`;
  });
  return { ...options, o: words.join(',') };
}

function idOf(command: Command, key: 'uid' | 'gid'): { uid?: number; gid?: number } {
  const text = lastValue(command, key);
  if (text === undefined || text === '') return {};
  const id = readId(text);
  if (id === undefined) throw new Failure(125, `--${key} ${text}: not an id`);
  return { [key]: id };
}

function exists(host: Host, command: Command): number {
  const [name = ''] = command.operands;
  return isName(name) && readVolume(host, storeOf(host, command), name) !== undefined ? 0 : 1;
}

function mount(host: Host, command: Command): number {
  const store = storeOf(host, command);
  return forEachOperand(host, command.operands, word => {
    const record = requireVolume(host, store, word);
    const backing = backingOf(record);
    if (backing.kind === 'image') throw new Failure(125, `${record.name}: an image is mounted only in containers`);
    if (backing.kind === 'mount') {
      if (host.euid !== 0) throw new Failure(125, `${record.name}: the kernel lets only root mount it`);
      const lock = holdVolume(host, store, record.name);
      try {
        mountVolume(host, store, record.name, backing, true);
      } finally {
        lock?.release();
      }
    }
    host.write(1, `${backing.kind === 'bind' ? backing.device : dataPath(store, record.name)}\n`);
    return 0;
  });
}

function unmount(host: Host, command: Command): number {
  const store = storeOf(host, command);
  return forEachOperand(host, command.operands, word => {
    const record = requireVolume(host, store, word);
    if (!unmountVolume(host, store, record.name, { byHand: true }))
      throw new Failure(125, `${record.name}: a container uses it`);
    host.write(1, `${record.name}\n`);
    return 0;
  });
}
