import { readdirSync, readFileSync, statSync } from 'node:fs';

type Add = (name: string, unit: string, ours: number, peerName: string, peer: number, goal: string) => void;

/** Units that run when memory is measured. */
export const HELD = ['bench-berth-0', 'bench-podman-0', 'bench-berth-pass-0', 'bench-podman-pass-0'];

/** The memory of our processes beside a payload's, for a unit of each. */
export function measureMemory(add: Add): void {
  const [ours = NaN, peer = NaN, oursPass = NaN, peerPass = NaN] = HELD.map(overhead);
  add('memory beside the payload (PSS)', 'kB', ours, 'conmon', peer, '<= 40 kB');
  add('the same, LogDriver=passthrough', 'kB', oursPass, 'conmon', peerPass, '0');
}

/**
 * PSS of every process of the unit except the payload's, in kB (proc_pid_smaps(5)). Read by root: our processes are not dumpable, so
 * their owner may not look into them.
 */
function overhead(unit: string): number {
  const root = `/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/${unit}.service`;
  let sum = 0;
  for (const child of ['', ...readdirSync(root)]) {
    const directory = `${root}/${child}`;
    if (!statSync(directory).isDirectory()) continue;
    for (const pid of readFileSync(`${directory}/cgroup.procs`, 'utf8')
      .split('\n')
      .filter(line => line !== '')) {
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
      if (name === 'sleep') continue;
      const pss = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? NaN);
      process.stderr.write(`  ${unit}: ${name} ${String(pss)} kB\n`);
      sum += pss;
    }
  }
  return sum;
}
