import { HostError, type Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import type { PlanFacts } from '../plan/types.ts';

type Node = PlanFacts['devices'][string][number];

/** Nodes of the devices asked for; a directory stands for all below it. --privileged: all of /dev, as Podman has it. */
export function collectDevices(host: Host, request: RunRequest): PlanFacts['devices'] {
  const devices: Record<string, readonly Node[]> = {};
  for (const { host: path, optional } of request.devices) {
    const nodes: Node[] = [];
    try {
      addNode(host, resolved(host, path), nodes);
    } catch (error) {
      // A path that is closed to an account is not there for it.
      if (optional !== true || !(error instanceof HostError)) throw error;
    }
    devices[path] = nodes;
  }
  if (request.privileged) {
    const nodes: Node[] = [];
    addBelow(host, '/dev', nodes);
    devices['/dev'] = nodes;
  }
  return devices;
}

/** A link to one node stands for the node (/dev/dri/by-path/…); a directory keeps the name it was asked for by. */
function resolved(host: Host, path: string): string {
  const real = host.realpath(path) ?? path;
  return host.stat(real)?.kind === 'directory' ? path : real;
}

/** Never taken from the host's /dev: each container has its own, and virtual consoles are the host's alone. */
const OWN = new Set([
  'pts',
  'shm',
  'mqueue',
  'fd',
  'console',
  'ptmx',
  'tty',
  'null',
  'zero',
  'full',
  'random',
  'urandom',
]);

function addBelow(host: Host, directory: string, nodes: Node[]): void {
  for (const { name, kind } of host.list(directory)) {
    const path = `${directory}/${name}`;
    if (directory === '/dev' && (OWN.has(name) || isVirtualConsole(name))) continue;
    if (kind === 'directory') addBelow(host, path, nodes);
    else if (kind === 'char' || kind === 'block') addNode(host, path, nodes);
  }
}

function isVirtualConsole(name: string): boolean {
  return name.startsWith('tty') && name.length > 3 && Number.isInteger(Number(name.slice(3)));
}

function addNode(host: Host, path: string, nodes: Node[]): void {
  let stat;
  try {
    stat = host.stat(path);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
  if (stat === undefined) return;
  if (stat.kind === 'directory') return addBelow(host, path, nodes);
  if (stat.kind !== 'char' && stat.kind !== 'block') return;
  const { rdevMajor: major, rdevMinor: minor, mode, uid, gid } = stat;
  nodes.push({ path, type: stat.kind === 'char' ? 'c' : 'b', major, minor, mode, uid, gid });
}
