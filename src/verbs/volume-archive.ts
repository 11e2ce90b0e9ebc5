import { lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import { HostError, type Host } from '../host/host.ts';
import { EXPORT, flatMap, layerCalls } from '../image/layer-calls.ts';
import { storeMap } from '../image/store-map.ts';
import { Failure } from '../run/failure.ts';
import { playMapped } from '../run/mapped.ts';
import { accountMaps } from '../volume/create.ts';
import { mountVolume, holdVolume, unmountVolume } from '../volume/mounting.ts';
import { backingOf } from '../volume/options.ts';
import { dataPath, requireVolume, volumePath, writeRecord, type VolumeRecord } from '../volume/record.ts';
import { storeOf } from './place.ts';

const O_WRONLY_CREAT_TRUNC = 0o1101;
const BYTE_LIMIT = 2 ** 44;
const ENTRY_LIMIT = 100_000_000;

/** `berth volume export`: a tar archive with the ids that containers see. */
export function exportVolume(host: Host, command: Command): number {
  const path = lastValue(command, 'output') ?? '-';
  if (path === '-' && host.isTerminal(1))
    throw new Failure(125, 'volume export: no archive is written to a terminal; give --output FILE');
  atPlace(host, command, ({ directory }) => {
    const target = path === '-' ? 1 : openOutput(host, path);
    try {
      if (host.euid === 0) layerCalls(host).exportLayer(directory, target, EXPORT.LIVING);
      else exportMapped(host, directory, target);
    } finally {
      if (target !== 1) host.close(target);
    }
  });
  return 0;
}

/** An account may not read what belongs to its subordinate ids: another of us does it in a user namespace. */
function exportMapped(host: Host, directory: string, target: number): void {
  const { uidMap, gidMap } = accountMaps(host);
  const words = ['layer', 'export-tree', `source=${directory}`, 'living=1'];
  const status = playMapped(
    host,
    [
      { name: 'environment', fields: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] },
      { name: 'exec', fields: ['', '/usr/bin/berth', ...words] },
    ],
    uidMap,
    gidMap,
    target,
  );
  if (status !== 0) throw new Failure(125, `${directory}: the archive is not whole`);
}

const WHOLE = {
  offset: -1,
  length: -1,
  sha512Blob: false,
  sha512Diff: false,
  needsEnd: true,
  byteLimit: BYTE_LIMIT,
  entryLimit: ENTRY_LIMIT,
  recipe: -1,
};

/** `berth volume import`: unpacks in a chroot of the volume, as layers are (T17); what is there stays unless the archive has it too. */
export function importVolume(host: Host, command: Command): number {
  const act = ({ record, store, directory }: Place): void => {
    const [, path = '-'] = command.operands;
    const source = path === '-' ? 0 : openInput(host, path);
    try {
      const words = { source, ...WHOLE };
      layerCalls(host).applyLayer(directory, words, flatMap(storeMap(host)));
    } finally {
      if (source !== 0) host.close(source);
    }
    // What an administrator put there is not to be mixed with what the image has.
    if (!inMemory(record)) writeRecord(host, volumePath(store, record.name), { ...record, filled: true });
  };
  atPlace(host, command, act, inMemory);
  return 0;
}

/** What is in it goes when it is unmounted. */
function inMemory(record: VolumeRecord): boolean {
  const backing = backingOf(record);
  return backing.kind === 'mount' && (backing.type === 'tmpfs' || backing.type === 'ramfs');
}

interface Place {
  readonly record: VolumeRecord;
  readonly store: string;
  readonly directory: string;
}

/** Mounts what the volume stands on meanwhile, or, as by `volume mount`, until a person unmounts it. */
function atPlace(
  host: Host,
  command: Command,
  act: (place: Place) => void,
  stays: (record: VolumeRecord) => boolean = () => false,
): void {
  const store = storeOf(host, command);
  const record = requireVolume(host, store, command.operands[0] ?? '');
  const { name } = record;
  const backing = backingOf(record);
  if (backing.kind === 'image')
    throw new Failure(125, `${name}: a volume of the driver image has no directory of its own`);
  if (backing.kind === 'bind') return act({ record, store, directory: backing.device });
  const place = { record, store, directory: dataPath(store, name) };
  if (backing.kind !== 'mount') return act(place);
  if (host.euid !== 0) throw new Failure(125, `${name}: the kernel lets only root mount it`);
  const lock = holdVolume(host, store, name);
  try {
    mountVolume(host, store, name, backing);
    act(place);
    if (stays(record)) mountVolume(host, store, name, backing, true);
  } finally {
    lock?.release();
    unmountVolume(host, store, name);
  }
}

function openOutput(host: Host, path: string): number {
  host.writeFile(path, '', 0o600);
  return host.open(path, O_WRONLY_CREAT_TRUNC);
}

function openInput(host: Host, path: string): number {
  try {
    return host.open(path, 0);
  } catch (error) {
    if (error instanceof HostError) throw new Failure(125, error.message);
    throw error;
  }
}
