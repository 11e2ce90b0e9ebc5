import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

type Pair = (
  ours: readonly string[],
  peer: readonly string[],
  between: () => void,
) => { ours: number[]; peer: number[] };

const TOP = '/tmp/berth-bench-generator';
const SIZES = [10, 100, 1000];

/** A file as people write them: a dozen keys, a section of each kind. */
function unit(i: number): string {
  return `[Unit]
Description=Web server ${i}
After=local-fs.target

[Container]
Image=docker.io/library/nginx:1.${i}
ContainerName=web${i}
PublishPort=${8000 + (i % 1000)}:80
Volume=/srv/web${i}:/usr/share/nginx/html:ro
Environment=MODE=production "GREETING=hello world" LEVEL=${i}
Label=app=web tier=front
AddCapability=NET_BIND_SERVICE
ReadOnly=yes
Exec=nginx -g "daemon off;"

[Service]
Restart=always

[Install]
WantedBy=default.target
`;
}

/** Both generators as one process on the same files, into an empty directory each time. `add` takes name, times of ours and of the peer. */
export function measureGenerators(pair: Pair, add: (name: string, ours: number[], peer: number[]) => void): void {
  const out = `${TOP}/out`;
  const fresh = (): void => rmSync(out, { recursive: true, force: true });
  try {
    for (const size of SIZES) {
      const units = `${TOP}/${size}`;
      mkdirSync(units, { recursive: true });
      for (let i = 0; i < size; i++) writeFileSync(`${units}/web${i}.container`, unit(i));
      const words = (program: readonly string[]): string[] => {
        return [`QUADLET_UNIT_DIRS=${units}`, ...program, '-user', '-no-kmsg-log', out];
      };
      fresh();
      const { ours, peer } = pair(words(['berth', 'generator']), words(['/usr/libexec/podman/quadlet']), fresh);
      add(`generator, ${size} files`, ours, peer);
    }
  } finally {
    rmSync(TOP, { recursive: true, force: true });
  }
}
