import { readdirSync, readFileSync } from 'node:fs';
import { PEERS, run, type Peer } from './units.ts';

type Add = (name: string, unit: string, ours: number, peerName: string, peer: number, goal: string) => void;

const COUNTS = [1, 10, 50] as const;
const NETWORK = 'bench-mem';
/** What an account runs that is no payload and was not there before. */
const HELPERS = /^(berth|pasta|conmon|rootlessport|aardvark|slirp|catatonit|podman)/;

const asAlice = (...argv: readonly string[]): string =>
  run('su', '-l', 'alice', '-s', '/bin/sh', '-c', 'cd /; exec "$0" "$@"', '--', ...argv);

/** PSS in kB of all helpers; by root, since our processes show their memory to nobody else. */
function helpers(): number {
  let sum = 0;
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      if (!HELPERS.test(readFileSync(`/proc/${pid}/comm`, 'utf8'))) continue;
      sum += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      // It has ended.
    }
  }
  return sum;
}

function perContainer(peer: Peer, network: string, count: number): number {
  const before = helpers();
  const names = Array.from({ length: count }, (_, i) => `mem${String(i)}`);
  for (const name of names)
    asAlice(...[peer, 'run', '-d', '--rm', '--name', name, '--network', network, 'localhost/busybox', 'sleep', '1000']);
  const after = helpers();
  asAlice(peer, 'rm', '-f', '-t', '0', ...names);
  // What belongs to the last container of a network ends a little later.
  for (let tries = 0; tries < 300 && helpers() > before + 200; tries++) run('sleep', '0.1');
  return (after - before) / count;
}

/** The memory of all helper processes, for each of 1, 10 and 50 containers, with pasta and in a network. */
export function measureHelpers(add: Add): void {
  for (const peer of PEERS) asAlice(peer, 'network', 'create', '--ignore', NETWORK);
  for (const network of ['pasta', NETWORK])
    for (const count of COUNTS) {
      const [ours = NaN, peer = NaN] = PEERS.map(one => perContainer(one, network, count));
      const where = network === 'pasta' ? 'pasta' : 'one network';
      add(`helpers per container, ${where}, ${String(count)}`, 'kB', ours, 'podman', peer, '(shown)');
    }
  for (const peer of PEERS) asAlice(peer, 'network', 'rm', NETWORK);
}
