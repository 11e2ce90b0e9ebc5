import { parseJson } from '../../base/json.ts';
import { readTable, SqliteError } from '../../base/sqlite.ts';
import { HostError, type Host } from '../../host/host.ts';
import { isName } from '../../run/containers.ts';
import { Failure } from '../../run/failure.ts';

/** A named volume of Podman's. */
export interface PodmanVolume {
  readonly name: string;
  /** Its directory with the data. */
  readonly data: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  /** Seconds since the epoch. */
  readonly created: number;
}

interface Config {
  readonly name?: string;
  readonly mountPoint?: string;
  readonly volumeDriver?: string;
  readonly createdAt?: string;
  readonly isAnon?: boolean;
  readonly labels?: Record<string, string> | null;
  readonly volumeOptions?: Record<string, string> | null;
}

/** 64 digits that nobody chose. */
const ANONYMOUS = /^[0-9a-f]{64}$/;

/**
 * The named volumes below a store. Labels, drivers and options are in Podman's database (db.sql, table VolumeConfig); where there is
 * another one (BoltDB of version 4), `known` is false and the directories are all that can be told.
 */
export function podmanVolumes(host: Host, root: string): { volumes: PodmanVolume[]; known: boolean } {
  const directory = `${root}/volumes`;
  const rows = configurations(host, root);
  if (rows !== undefined)
    return { volumes: rows.flatMap(row => (row.isAnon === true ? [] : fromRow(row))), known: true };
  const names = host.lstat(directory) === undefined ? [] : host.list(directory).map(entry => entry.name);
  const volumes = names
    .filter(name => isName(name) && !ANONYMOUS.test(name) && host.lstat(`${directory}/${name}/_data`) !== undefined)
    .map(name => ({ name, data: `${directory}/${name}/_data`, labels: {}, driver: 'local', options: {}, created: 0 }));
  return { volumes, known: volumes.length === 0 };
}

function configurations(host: Host, root: string): Config[] | undefined {
  const path = `${root}/db.sql`;
  const bytes = host.readFileIfExists(path);
  if (bytes === undefined) return undefined;
  try {
    const rows = readTable(bytes, 'VolumeConfig') ?? [];
    return rows.map(([, , text]) => (parseJson(typeof text === 'string' ? text : '{}') ?? {}) as Config);
  } catch (error) {
    if (!(error instanceof SqliteError) && !(error instanceof SyntaxError)) throw error;
    throw new Failure(
      125,
      `${path}: ${error instanceof SqliteError ? error.message : 'has a volume that cannot be read'}`,
    );
  }
}

function fromRow(row: Config): PodmanVolume[] {
  const { name = '', mountPoint = '' } = row;
  if (!isName(name) || !mountPoint.startsWith('/')) return [];
  // SIZE, INODES and the like are what Podman made of `o`.
  const options = Object.entries(row.volumeOptions ?? {}).filter(([key]) => key === key.toLowerCase());
  const created = Date.parse(row.createdAt ?? '') / 1000;
  return [
    {
      name,
      data: mountPoint,
      labels: row.labels ?? {},
      driver: row.volumeDriver ?? 'local',
      options: Object.fromEntries(options),
      created: Number.isNaN(created) ? 0 : Math.floor(created),
    },
  ];
}

/** Names and pids of processes that have the volume mounted: what they write meanwhile would be half there. */
export function usersOf(host: Host, volume: PodmanVolume): string[] {
  const users: string[] = [];
  for (const { name: pid } of host.list('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const mounts = readQuietly(host, `/proc/${pid}/mountinfo`);
    // Its fourth field is the directory within the file system, whose root may be mounted elsewhere.
    const used = mounts.split('\n').some(line => {
      const root = line
        .split(' ')[3]
        ?.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
      return (
        root !== undefined &&
        root.endsWith(`/volumes/${volume.name}/_data`) &&
        volume.data.endsWith(root.slice(root.lastIndexOf('/volumes/')))
      );
    });
    if (used) users.push(`${readQuietly(host, `/proc/${pid}/comm`).trim()} (${pid})`);
  }
  return users;
}

function readQuietly(host: Host, path: string): string {
  try {
    return host.readFileIfExists(path, 1 << 20) ?? '';
  } catch (error) {
    if (error instanceof HostError) return '';
    throw error;
  }
}
