import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { median } from './statistics.ts';
import { PEERS, run, type Peer } from './units.ts';

type Add = (name: string, unit: string, ours: number, peerName: string, peer: number, goal: string) => void;

const SECONDS = 3;
const PORT = '8320';
const NETWORK = 'bench-flow';
/** Ticks of /proc/PID/stat (USER_HZ of Linux). */
const TICKS = 100;

/** Whose containers, in which network. The first and the last have the same path as the peer's: pasta, and rules of netavark. */
const PLACES = [
  { account: 'alice', network: 'pasta', name: 'pasta' },
  { account: 'alice', network: NETWORK, name: 'network' },
  { account: 'root', network: 'bridge', name: "root's bridge" },
] as const;
type Place = (typeof PLACES)[number];

const asAlice = (...argv: readonly string[]): string =>
  run('su', '-l', 'alice', '-s', '/bin/sh', '-c', 'cd /; exec "$0" "$@"', '--', ...argv);

/** Seconds of processor time that each living process has used. */
function used(): Map<string, number> {
  const found = new Map<string, number>();
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      found.set(pid, (Number(words[11]) + Number(words[12])) / TICKS);
    } catch {
      // It has ended.
    }
  }
  return found;
}

interface Report {
  readonly end: {
    readonly sum_received: { readonly bytes: number; readonly bits_per_second: number };
    readonly cpu_utilization_percent: { readonly host_total: number };
  };
}

const CLIENT = ['netns', 'exec', 'far', 'chroot', '/var/tmp/iperf', 'iperf3', '-J', '-c', '192.0.2.1', '-p', PORT];

/** One run of the client in another network namespace, of run.sh: Gbit/s, and processor seconds of all processes for each GB. */
function flow(streams: number): { speed: number; cost: number } {
  // A container that runs need not listen yet.
  for (let tries = 0; tries < 50; tries++) {
    const before = used();
    const { status, stdout } = spawnSync('ip', [...CLIENT, '-t', String(SECONDS), '-P', String(streams)], {
      encoding: 'utf8',
    });
    if (status === 0) return costOf(JSON.parse(stdout) as Report, before);
    run('sleep', '0.1');
  }
  throw new Error('iperf3 reached no server');
}

function costOf({ end }: Report, before: ReadonlyMap<string, number>): { speed: number; cost: number } {
  let seconds = (end.cpu_utilization_percent.host_total / 100) * SECONDS;
  for (const [pid, now] of used()) seconds += now - (before.get(pid) ?? now);
  return { speed: end.sum_received.bits_per_second / 1e9, cost: seconds / (end.sum_received.bytes / 1e9) };
}

function served<T>(peer: Peer, { account, network }: Place, act: () => T): T {
  const as = account === 'root' ? run : asAlice;
  const words = ['run', '-d', '--rm', '--name', 'flow', '--network', network, '-p', `${PORT}:5201`];
  as(peer, ...words, 'localhost/iperf:latest');
  try {
    return act();
  } finally {
    as(peer, 'rm', '-f', '-t', '0', 'flow');
  }
}

/** Alternating: over a published port of each place, 1 and 8 streams. */
export function measureThroughput(runs: number, add: Add): void {
  for (const peer of PEERS) asAlice(peer, 'network', 'create', '--ignore', NETWORK);
  for (const place of PLACES)
    for (const streams of [1, 8]) {
      const seen: Record<Peer, { speed: number; cost: number }[]> = { berth: [], podman: [] };
      for (let round = 0; round < runs; round++)
        for (const peer of PEERS) seen[peer].push(served(peer, place, () => flow(streams)));
      const middle = (peer: Peer, key: 'speed' | 'cost'): number => median(seen[peer].map(one => one[key]));
      const name = `published port, ${place.name}, ${String(streams)} streams`;
      add(name, 'Gb/s', middle('berth', 'speed'), 'podman', middle('podman', 'speed'), '>= 1.0');
      add(`${name}: CPU`, 's/GB', middle('berth', 'cost'), 'podman', middle('podman', 'cost'), '<= 1.0');
    }
  for (const peer of PEERS) asAlice(peer, 'network', 'rm', NETWORK);
}
