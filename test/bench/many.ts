import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { PEERS, run, type Peer } from './units.ts';

type Add = (name: string, unit: string, ours: number, peerName: string, peer: number, goal: string) => void;

/** Alternating runs of two commands, `between` untimed after each; medians in milliseconds. */
export type Compare = (
  ours: readonly string[],
  peer: readonly string[],
  between?: () => void,
) => readonly [ours: number, peer: number];

const COUNT = 100;
const SECONDS = 60;
const IMAGE = 'localhost/busybox';
const names = Array.from({ length: COUNT }, (_, i) => `many-${String(i)}`);

/** A hundred containers of each, one after the other, so that neither has the other's in its tables of mounts and processes. */
export function measureMany(compare: Compare, add: Add): void {
  withoutKeyrings();
  const checks = PEERS.map(healthChecks);
  const [ours, peer] = checks;
  if (ours === undefined || peer === undefined) throw new Error('two are compared');
  add(`checks of ${String(COUNT)} containers, ${String(SECONDS)} s`, 's', ours.cpu, 'podman', peer.cpu, '<= 0.1');
  const one = (of: Checks): number => (of.cpu / of.probes) * 1000;
  add('CPU of one exec probe', 'ms', one(ours), 'podman', one(peer), '<= 0.1');
  for (const each of PEERS) begin(each);
  add(`ps, ${String(COUNT)} containers`, 'ms', ...pairOf(compare(['berth', 'ps'], ['podman', 'ps'])), '<= 0.5');
  for (const each of PEERS) end(each);
}

/** Both start the same unit; the word that we are given is that of its file. */
export function measureControl(compare: Compare, add: Add): void {
  const directory = `${process.env['HOME'] ?? ''}/.config/containers/systemd`;
  mkdirSync(directory, { recursive: true });
  const lines = [
    '[Unit]',
    'StartLimitIntervalSec=0',
    '[Container]',
    `Image=${IMAGE}`,
    'Exec=sleep 1000',
    'Network=none',
  ];
  writeFileSync(`${directory}/bench-control.container`, [...lines, '[Service]', 'KillSignal=SIGKILL', ''].join('\n'));
  run('systemctl', '--user', 'daemon-reload');
  if (!run('systemctl', '--user', 'cat', 'bench-control').includes('/berth ')) throw new Error('this is not our unit');
  const stop = (): void => {
    run('systemctl', '--user', 'kill', '-s', 'KILL', 'bench-control');
    run('systemctl', '--user', 'stop', 'bench-control');
    run('systemctl', '--user', 'reset-failed', 'bench-control');
  };
  const [ours, peer] = compare(
    ['berth', 'start', 'bench-control'],
    ['systemctl', '--user', 'start', 'bench-control'],
    stop,
  );
  add('berth start', 'ms', ours, 'systemctl start', peer, '<= 2');
}

const pairOf = ([ours, peer]: readonly [number, number]) => [ours, 'podman', peer] as const;

/** The kernel gives an account 200 keyrings (keyrings(7)); the peer's runtime makes one for each container unless it is told not to. */
function withoutKeyrings(): void {
  const file = `${process.env['HOME'] ?? ''}/many.conf`;
  writeFileSync(file, '[containers]\nkeyring = false\n');
  process.env['CONTAINERS_CONF_OVERRIDE'] = file;
}

function begin(peer: Peer, ...options: readonly string[]): void {
  for (const name of names)
    run(peer, 'run', '-d', '--name', name, '--network', 'none', ...options, IMAGE, 'sleep', 'inf');
}

function end(peer: Peer): void {
  run(peer, 'rm', '-f', '-t', '0', ...names);
}

interface Checks {
  /** Seconds of processor. */
  readonly cpu: number;
  readonly probes: number;
}

/** Each probe adds a byte to a file, so that those are counted that were made, whatever was asked for. */
function healthChecks(peer: Peer): Checks {
  const directory = `${process.env['HOME'] ?? ''}/many`;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const count = `${directory}/count`;
  writeFileSync(count, '');
  begin(peer, '-v', `${directory}:/many`, '--health-cmd', 'echo >>/many/count', '--health-interval', '10s');
  const before = { cpu: processorSeconds(), probes: statSync(count).size };
  run('sleep', String(SECONDS));
  const after = { cpu: processorSeconds(), probes: statSync(count).size };
  end(peer);
  const made = { cpu: after.cpu - before.cpu, probes: after.probes - before.probes };
  process.stderr.write(`  ${peer}: ${made.cpu.toFixed(2)} s of processor, ${String(made.probes)} probes\n`);
  if (made.probes < COUNT) throw new Error(`${peer}: only ${String(made.probes)} probes were made`);
  return made;
}

/** What the account's processes and the journal have used: cpu.stat (cgroup-v2.rst, "CPU Interface Files"). */
function processorSeconds(): number {
  const groups = [`user.slice/user-${String(process.getuid?.() ?? 0)}.slice`, 'system.slice/systemd-journald.service'];
  const used = groups.map(group => {
    const text = readFileSync(`/sys/fs/cgroup/${group}/cpu.stat`, 'utf8');
    return Number(/^usage_usec (\d+)/m.exec(text)?.[1] ?? NaN);
  });
  return used.reduce((a, b) => a + b) / 1e6;
}
