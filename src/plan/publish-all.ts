import type { ImageRecord } from '../image/types.ts';
import { readRange } from './parse-ports.ts';
import type { PortRequest, RunRequest } from './request.ts';

/** The modes in which the container has no ports of its own to publish: there Podman passes over --publish-all, too. */
const WITHOUT = ['host', 'none', 'container', 'ns'];

/** `--publish-all`: each port that the image or --expose names and nothing publishes yet gets any free port of the host. */
export function publishAll(request: RunRequest, image: ImageRecord | undefined): RunRequest {
  if (!request.publishAll || WITHOUT.includes(request.networks[0]?.split(':')[0] ?? '')) return request;
  const ports = [...request.ports];
  for (const { port, count, protocol } of [
    ...(image?.config.exposedPorts.flatMap(readExposed) ?? []),
    ...request.exposed,
  ]) {
    for (let one = port; one < port + count; one++) {
      const known = ports.some(p => p.protocol === protocol && p.port <= one && one < p.port + p.count);
      if (!known) ports.push({ hostAddress: '', hostPort: 0, port: one, count: 1, protocol });
    }
  }
  return { ...request, ports };
}

/** `80`, `80/tcp`, `8000-8010/udp` of an image; what is none of these exposes nothing. */
function readExposed(text: string): Pick<PortRequest, 'port' | 'count' | 'protocol'>[] {
  const [ports = '', protocol = 'tcp'] = text.toLowerCase().split('/');
  const range = readRange(ports);
  if (range === undefined || (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp')) return [];
  return [{ port: range.first, count: range.count, protocol }];
}
