/**
 * Runs inside the test machine, as the unprivileged user, with podman beside us in the same run.
 * Pairs alternate (ours, peer, ours, …), so that a drift of the machine's speed meets both alike.
 * Output: the rows as JSON on standard output, a table on standard error.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { median, quantile, round } from './statistics.ts';

import { measureGenerators } from './generator.ts';
import { measureHelpers } from './helpers.ts';
import { HELD, measureMemory } from './memory.ts';
import { measureControl, measureMany, type Compare } from './many.ts';
import { measureNetworks } from './networks.ts';
import { measurePulls } from './pulls.ts';
import { measureThroughput } from './throughput.ts';

interface Row {
  name: string;
  unit: string;
  ours: number;
  peer: number;
  peerName: string;
  ratio: number;
  goal: string;
}

const RUNS = Number(process.env['BENCH_RUNS'] ?? 21);
const IMAGE = 'localhost/busybox:latest';
const rows: Row[] = [];

function command(argv: readonly string[], mayFail = false): string {
  const result = spawnSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8' });
  if (result.status !== 0 && !mayFail)
    throw new Error(`${argv.join(' ')}: ended with ${String(result.status)}: ${result.stderr}`);
  return result.stdout;
}

/** Milliseconds of one whole process, after assignments for its environment; see stopwatch.c. */
function time(argv: readonly string[]): number {
  return Number(command(['/var/tmp/bench/stopwatch', ...argv])) / 1e6;
}

function add(name: string, unit: string, ours: number, peerName: string, peer: number, goal: string): void {
  rows.push({ name, unit, ours: round(ours), peer: round(peer), peerName, ratio: round(ours / peer), goal });
}

/** Alternating runs; `between` runs untimed after each one. */
function pair(
  ours: readonly string[],
  peer: readonly string[],
  between: (whose: 'ours' | 'peer') => void = () => undefined,
): { ours: number[]; peer: number[] } {
  const times = { ours: [] as number[], peer: [] as number[] };
  for (let i = -2; i < RUNS; i++) {
    for (const whose of ['ours', 'peer'] as const) {
      const taken = time(whose === 'ours' ? ours : peer);
      between(whose);
      if (i >= 0) times[whose].push(taken);
    }
  }
  return times;
}

function run(): void {
  const args = ['run', '--rm', '--network', 'none', IMAGE, 'true'];
  const times = pair(['berth', ...args], ['podman', ...args]);
  add('run --rm --network none IMAGE true', 'ms', median(times.ours), 'podman', median(times.peer), '<= 0.15');
}

/** crun with a ready bundle: the floor of what a start can cost. */
function runtimeAlone(bundle: string): void {
  const times = pair(
    ['berth', 'oci', 'run', '--bundle', bundle, 'bench-o'],
    ['crun', 'run', '--bundle', bundle, 'bench-c'],
  );
  add('OCI run of a ready bundle', 'ms', median(times.ours), 'crun', median(times.peer), '(shown)');
}

function exec(): void {
  const start = ['run', '-d', '--name', 'bench-exec', '--replace', '--rm', '--network', 'none', IMAGE, 'sleep', '1000'];
  command(['berth', ...start]);
  command(['podman', ...start]);
  const times = pair(['berth', 'exec', 'bench-exec', 'true'], ['podman', 'exec', 'bench-exec', 'true']);
  add('exec NAME true', 'ms', median(times.ours), 'podman', median(times.peer), '<= 0.15');
  for (const program of ['berth', 'podman']) command([program, 'rm', '-f', '-t', '0', 'bench-exec']);
}

/** The units of both generators from one source file, under names that differ by a prefix. */
function writeUnits(count: number): void {
  const source = `${process.env['HOME'] ?? ''}/bench-source`;
  const target = `${process.env['HOME'] ?? ''}/.config/systemd/user`;
  mkdirSync(source, { recursive: true });
  mkdirSync(target, { recursive: true });
  const generators = {
    berth: '/usr/lib/systemd/user-generators/berth-user-generator',
    podman: '/usr/libexec/podman/quadlet',
  };
  for (let i = 0; i < count; i++) {
    for (const driver of i === 0 ? ['journald', 'passthrough'] : ['journald']) {
      for (const [peer, generator] of Object.entries(generators)) {
        const name = `bench-${peer}-${driver === 'journald' ? '' : 'pass-'}${String(i)}`;
        const directory = `${source}/${name}`;
        mkdirSync(directory, { recursive: true });
        writeFileSync(
          `${directory}/${name}.container`,
          `[Unit]\nDescription=bench\n[Quadlet]\nDefaultDependencies=false\n[Container]\nImage=${IMAGE}\nExec=sleep 1000\nNetwork=none\n` +
            (driver === 'journald' ? '' : `LogDriver=${driver}\n`) +
            '[Service]\nKillSignal=SIGKILL\n',
        );
        const made = spawnSync(
          generator,
          ['--user', '--no-kmsg-log', `${directory}/out`, `${directory}/early`, `${directory}/late`],
          {
            env: { ...process.env, QUADLET_UNIT_DIRS: directory },
            encoding: 'utf8',
          },
        );
        if (made.status !== 0) throw new Error(`${generator}: ${made.stderr}`);
        writeFileSync(`${target}/${name}.service`, readFileSync(`${directory}/out/${name}.service`));
      }
    }
  }
  command(['systemctl', '--user', 'daemon-reload']);
}

function systemdStart(): void {
  const stop = (whose: 'ours' | 'peer'): void => {
    command(['systemctl', '--user', 'kill', '-s', 'KILL', `bench-${whose === 'ours' ? 'berth' : 'podman'}-0`], true);
    command(['systemctl', '--user', 'stop', `bench-${whose === 'ours' ? 'berth' : 'podman'}-0`], true);
    command(['systemctl', '--user', 'reset-failed'], true);
  };
  const times = pair(
    ['systemctl', '--user', 'start', 'bench-berth-0'],
    ['systemctl', '--user', 'start', 'bench-podman-0'],
    stop,
  );
  add('systemctl --user start to active', 'ms', median(times.ours), 'podman quadlet', median(times.peer), '<= 0.40');
}

/** Per unit: from leaving inactive to active, by the manager's own clock. */
function activation(unit: string): number {
  const stamps = 'InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic';
  const text = command(['systemctl', '--user', 'show', unit, '-p', stamps]);
  const value = (key: string): number => Number(new RegExp(`${key}=(\\d+)`).exec(text)?.[1] ?? NaN);
  return (value('ActiveEnterTimestampMonotonic') - value('InactiveExitTimestampMonotonic')) / 1000;
}

function sixteen(): void {
  const names = (peer: string): string[] => Array.from({ length: 16 }, (_, i) => `bench-${peer}-${String(i)}`);
  const times: Record<string, number[]> = { berth: [], podman: [] };
  const rounds = Math.max(3, Math.ceil(RUNS / 5));
  for (let round_ = 0; round_ < rounds; round_++) {
    for (const peer of ['berth', 'podman']) {
      command(['systemctl', '--user', 'start', ...names(peer)]);
      times[peer]?.push(...names(peer).map(activation));
      command(['systemctl', '--user', 'kill', '-s', 'KILL', ...names(peer)], true);
      command(['systemctl', '--user', 'stop', ...names(peer)], true);
      command(['systemctl', '--user', 'reset-failed'], true);
    }
  }
  for (const [label, q, goal] of [
    ['p50', 0.5, '<= 0.35'],
    ['p99', 0.99, '(shown)'],
  ] as const)
    add(
      `16 units at once, ${label}`,
      'ms',
      quantile(times['berth'] ?? [], q),
      'podman quadlet',
      quantile(times['podman'] ?? [], q),
      goal,
    );
}

function size(): void {
  const bytes = statSync('/usr/bin/berth').size;
  add('size of the program', 'MB', bytes / 1e6, 'podman', statSync('/usr/bin/podman').size / 1e6, '<= 4 MB');
}

const generator = (): void =>
  measureGenerators(pair, (name, ours, peer) => add(name, 'ms', median(ours), 'quadlet', median(peer), '<= 0.5'));

const table = (): string =>
  rows
    .map(
      r =>
        `${r.name.padEnd(40)} ${String(r.ours).padStart(9)} ${r.unit.padEnd(3)} ${String(r.peer).padStart(9)} ${r.peerName.padEnd(15)} ratio ${String(r.ratio).padStart(6)}  goal ${r.goal}`,
    )
    .join('\n');

const wanted = (part: string): boolean => process.env['BENCH_ONLY']?.split(',').includes(part) ?? true;

/** As the account: all that is timed; then units are left running for root, who measures their memory. */
function asAccount(): void {
  writeUnits(16);
  const bundle = process.env['BENCH_BUNDLE'];
  const networks = (): void => measureNetworks(Math.max(3, Math.ceil(RUNS / 2)), add);
  const compare: Compare = (ours, peer, between) => {
    const times = pair(ours, peer, between);
    return [median(times.ours), median(times.peer)];
  };
  const control = (): void => measureControl(compare, add);
  const many = (): void => measureMany(compare, add);
  const parts: Record<string, () => void> = {
    run,
    exec,
    systemdStart,
    control,
    sixteen,
    many,
    size,
    generator,
    networks,
  };
  for (const [name, part] of Object.entries(parts)) if (wanted(name)) part();
  if (bundle !== undefined && wanted('oci')) runtimeAlone(bundle);
  command(['systemctl', '--user', 'start', ...HELD]);
}

if (process.getuid?.() === 0) {
  rows.push(...(JSON.parse(readFileSync(0, 'utf8')) as Row[]));
  measureMemory(add);
  if (wanted('helpers')) measureHelpers(add);
  if (wanted('throughput')) measureThroughput(3, add);
  const registry = process.env['BENCH_REGISTRY'];
  if (registry !== undefined) await measurePulls(registry, Math.max(3, Math.ceil(RUNS / 3)), add);
  process.stderr.write(`${table()}\n`);
} else {
  asAccount();
}
process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
