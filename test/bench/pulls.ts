import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { quantile } from './statistics.ts';

type Add = (name: string, unit: string, ours: number, peerName: string, peer: number, goal: string) => void;

/** Images that run.sh has put into the registry (pull-images.py): repository, and what it is. */
const IMAGES: readonly (readonly [string, string])[] = [
  ['small', '10 small layers'],
  ['big', 'one layer of 300 MB'],
  ['mixed', '40 mixed layers'],
];

const COPY = '/home/alice/bench-copy';
const PULLS = {
  berth: (image: string) => ['berth', 'pull', '-q', image],
  podman: (image: string) => ['podman', 'pull', '-q', '--tls-verify=false', image],
  // Only copies blobs: it unpacks nothing.
  skopeo: (image: string) =>
    words(`skopeo --insecure-policy copy -q --src-tls-verify=false docker://${image} dir:${COPY}`),
};
const FORGET = {
  berth: (image: string) => ['berth', 'rmi', '-f', image],
  podman: (image: string) => ['podman', 'rmi', '-f', image],
  skopeo: () => ['rm', '-rf', COPY],
};
type Program = keyof typeof PULLS;
const PROGRAMS: readonly Program[] = ['berth', 'podman', 'skopeo'];

function words(line: string): string[] {
  return line.split(' ');
}

/** Runs a command as alice; we are root, since only root may look at the memory of our processes. */
function start(argv: readonly string[]): { pid: number; ended: Promise<void>; isOver: () => boolean } {
  const account = words('--reuid=1000 --regid=1000 --init-groups --reset-env env XDG_RUNTIME_DIR=/run/user/1000');
  const child = spawn('setpriv', [...account, ...argv], { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  let over = false;
  const ended = once(child, 'close').then(([status]) => {
    over = true;
    if (status !== 0) throw new Error(`${argv.join(' ')}: ended with ${String(status)}: ${complaint}`);
  });
  return { pid: child.pid ?? 0, ended, isOver: () => over };
}

/** Milliseconds. */
async function time(argv: readonly string[]): Promise<number> {
  const begin = process.hrtime.bigint();
  await start(argv).ended;
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

/** The most that a command and its descendants had at a time, as PSS in kB, looked at every 20 ms. */
async function peak(argv: readonly string[]): Promise<number> {
  let most = 0;
  const { pid, ended } = start(argv);
  const timer = setInterval(() => (most = Math.max(most, pssOf(pid, children()))), 20);
  try {
    await ended;
  } finally {
    clearInterval(timer);
  }
  return most;
}

/** Pids by the pid of their parent. */
function children(): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    const stat = read(`/proc/${pid}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    found.set(parent, [...(found.get(parent) ?? []), Number(pid)]);
  }
  return found;
}

function pssOf(pid: number, below: ReadonlyMap<number, number[]>): number {
  const own = Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
  return (below.get(pid) ?? []).reduce((sum, child) => sum + pssOf(child, below), own);
}

/** Empty when the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** From a registry on loopback, the image absent each time; then what is there already, and starts meanwhile. */
export async function measurePulls(registry: string, runs: number, add: Add): Promise<void> {
  for (const [repository, label] of IMAGES) {
    const image = `${registry}/bench/${repository}:1`;
    const ms: Record<Program, number[]> = { berth: [], podman: [], skopeo: [] };
    const kb: Record<Program, number> = { berth: 0, podman: 0, skopeo: 0 };
    for (let run = -1; run < runs; run++) {
      for (const program of PROGRAMS) {
        // The first round is for the memory: to look slows down.
        if (run < 0) kb[program] = await peak(PULLS[program](image));
        else ms[program].push(await time(PULLS[program](image)));
        await start(FORGET[program](image)).ended;
      }
    }
    const [berth, podman, skopeo] = PROGRAMS.map(program => quantile(ms[program], 0.5));
    add(`pull, ${label}`, 'ms', berth ?? NaN, 'podman', podman ?? NaN, '<= 0.8');
    add(`pull, ${label}`, 'ms', berth ?? NaN, 'skopeo copy', skopeo ?? NaN, '(shown)');
    add(`pull, ${label}, peak memory (PSS)`, 'kB', kb.berth, 'podman', kb.podman, '<= 1.0');
  }
  await unchanged(`${registry}/bench/small:1`, runs, add);
  await meanwhile(`${registry}/bench/big:1`, runs, add);
}

async function unchanged(image: string, runs: number, add: Add): Promise<void> {
  const ms = { berth: [] as number[], podman: [] as number[] };
  for (let run = -1; run < runs; run++)
    for (const program of ['berth', 'podman'] as const) {
      const taken = await time(PULLS[program](image));
      if (run >= 0) ms[program].push(taken);
    }
  for (const program of ['berth', 'podman'] as const) await start(FORGET[program](image)).ended;
  add('pull of an unchanged tag', 'ms', quantile(ms.berth, 0.5), 'podman', quantile(ms.podman, 0.5), '<= 0.5');
}

/** Fifteen starts alone, then starts for as long as a pull runs. The registry is on this machine, and its part is in the figure. */
async function meanwhile(image: string, runs: number, add: Add): Promise<void> {
  const begin = words('berth run --rm --network none localhost/busybox:latest true');
  const alone: number[] = [];
  const beside: number[] = [];
  for (let round = 0; round < Math.max(2, Math.ceil(runs / 5)); round++) {
    for (let run = 0; run < 15; run++) alone.push(await time(begin));
    const pull = start(PULLS.berth(image));
    while (!pull.isOver()) beside.push(await time(begin));
    await pull.ended;
    await start(FORGET.berth(image)).ended;
  }
  add('start while a pull runs', 'ms', quantile(beside, 0.5), 'start alone', quantile(alone, 0.5), '<= 1.2');
}
