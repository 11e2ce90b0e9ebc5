import type { Host } from '../../host/host.ts';
import { Failure } from '../../run/failure.ts';
import { backingOf, readOptions } from '../options.ts';
import { lockVolume } from '../mounting.ts';
import { readVolume, volumePath, writeRecord, type VolumeRecord } from '../record.ts';
import type { PodmanVolume } from './podman-volumes.ts';

/** What it becomes here. A Failure (125) when there is no such kind of volume here. */
export function volumeRecord(host: Host, volume: PodmanVolume): VolumeRecord {
  const { name, driver, labels, created } = volume;
  if (driver !== 'local') throw new Failure(125, `volume ${name}: there is no volume driver ${driver} here`);
  const words = Object.entries(volume.options).map(([key, value]) => `${key}=${value}`);
  const options = readOptions(name, driver, words);
  return {
    version: 1,
    name,
    anonymous: false,
    created: created === 0 ? Math.floor(host.now()) : created,
    filled: true,
    labels,
    ...(words.length === 0 ? {} : { driver: 'local', options }),
  };
}

/**
 * Copies a volume with owners, modes, times, attributes, links and holes into `work`, then puts it into its place. An account's copy is
 * made in its user namespace, in which all of its ids can be read and given.
 */
export function copyVolume(host: Host, store: string, work: string, volume: PodmanVolume): void {
  const record = volumeRecord(host, volume);
  const temporary = `${work}/volume-${volume.name}`;
  host.mkdir(temporary, 0o700);
  const data = backingOf(record).kind === 'directory';
  if (data) copyTree(host, volume, `${temporary}/_data`);
  else host.mkdir(`${temporary}/_data`, 0o755);
  // An empty one is filled by the image at the first start, as Podman would.
  writeRecord(host, temporary, { ...record, filled: !data || host.list(volume.data).length > 0 });
  host.run({ argv: ['sync', '--file-system', temporary], environment: [PATH] });
  const lock = lockVolume(host, store, volume.name, true, true);
  try {
    if (readVolume(host, store, volume.name) !== undefined)
      throw new Failure(125, `volume ${volume.name}: somebody has made one meanwhile`);
    host.mkdirs(`${store}/volumes`, 0o700);
    host.rename(temporary, volumePath(store, volume.name));
    host.sync(`${store}/volumes`);
  } finally {
    lock?.release();
  }
}

const PATH = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin';

function copyTree(host: Host, volume: PodmanVolume, target: string): void {
  const inside = host.euid === 0 ? [] : ['unshare', '--user', '--map-auto', '--map-root-user', '--'];
  const done = host.run({
    argv: [...inside, 'cp', '--archive', '--sparse=auto', '--no-target-directory', '--', volume.data, target],
    environment: [PATH, 'LC_ALL=C'],
    stdout: 'capture',
    stderr: 'capture',
  });
  if (done.status === 0) return;
  const line = done.stderr.split('\n')[0]?.replace(/^(cp|unshare): /, '') ?? '';
  throw new Failure(125, `volume ${volume.name}: ${line === '' ? 'the copy failed' : line}`);
}
