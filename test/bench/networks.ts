import { median } from './statistics.ts';
import { install, PEERS, run, type Peer } from './units.ts';

type Add = (name: string, unit: string, ours: number, peerName: string, peer: number, goal: string) => void;

const NETWORK = 'bench-net';
const MANY = 20;

function container(lines: string): string {
  return `[Unit]
StartLimitIntervalSec=0
[Quadlet]
DefaultDependencies=false
[Container]
Image=localhost/busybox:latest
Exec=sleep 1000
StopSignal=SIGKILL
${lines}
`;
}

const members = ['a', 'b', 'c'];
const many = Array.from({ length: MANY }, (_, i) => `m${String(i)}`);

/** Podman's own infra image wants a program that need not be there. */
const INFRA = 'PodmanArgs=--infra-image=localhost/busybox:latest --infra-command="sleep 1000"';

const files = (peer: Peer): Record<string, string> => ({
  'bench-@-pasta.container': container('Network=pasta\nPublishPort=8300:80'),
  'bench-@-bridge.container': container(`Network=${NETWORK}`),
  'bench-@-ports.container': container(`Network=${NETWORK}\nPublishPort=8301:80`),
  'bench-@.pod': `[Unit]\nStartLimitIntervalSec=0\n[Quadlet]\nDefaultDependencies=false\n[Pod]\nPublishPort=8302:80\n${peer === 'podman' ? INFRA : ''}\n`,
  ...Object.fromEntries(members.map(name => [`bench-@-${name}.container`, container('Pod=bench-@.pod')])),
  ...Object.fromEntries(many.map(name => [`bench-@-${name}.container`, container(`Network=${NETWORK}`)])),
});

/** What is started, what is stopped after it, and the goal of the ratio. */
const ROWS: readonly {
  name: string;
  start: readonly string[];
  stop: readonly string[];
  goal: string;
  share: number;
}[] = [
  { name: 'start to active, pasta', start: ['pasta'], stop: ['pasta'], goal: '<= 0.5', share: 1 },
  { name: 'start to active, bridge network', start: ['bridge'], stop: ['bridge'], goal: '<= 0.5', share: 1 },
  { name: 'the same with a published port', start: ['ports'], stop: ['ports'], goal: '(shown)', share: 0.5 },
  {
    name: 'pod of three, stopped to all active',
    start: ['pod', ...members],
    stop: [...members, 'pod'],
    goal: '<= 0.5',
    share: 0.5,
  },
  { name: `${String(MANY)} containers of one network at once`, start: many, stop: many, goal: '<= 0.4', share: 0.2 },
];

const units = (peer: Peer, names: readonly string[]): string[] => names.map(name => `bench-${peer}-${name}.service`);

/** As the account: alternating starts of the same unit files; nothing of the networks is left between two of them. */
export function measureNetworks(runs: number, add: Add): void {
  install(files);
  for (const peer of PEERS) run(peer, 'network', 'create', '--ignore', NETWORK);
  for (const { name, start, stop, goal, share } of ROWS) {
    const ms: Record<Peer, number[]> = { berth: [], podman: [] };
    for (let round = -1; round < Math.max(3, Math.ceil(runs * share)); round++) {
      for (const peer of PEERS) {
        const begin = process.hrtime.bigint();
        run('systemctl', '--user', 'start', ...units(peer, start));
        const taken = Number(process.hrtime.bigint() - begin) / 1e6;
        run('systemctl', '--user', 'stop', ...units(peer, stop));
        if (peer === 'berth') run('systemctl', '--user', 'stop', 'berth-netns.service');
        if (round >= 0) ms[peer].push(taken);
      }
    }
    add(name, 'ms', median(ms.berth), 'podman quadlet', median(ms.podman), goal);
  }
  for (const peer of PEERS) run(peer, 'network', 'rm', NETWORK);
}
