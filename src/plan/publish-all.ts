import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { ImageRecord } from '../image/types.ts';
import { WITHOUT_PORTS } from './parse-network.ts';
import { readRange } from './parse-ports.ts';
import type { PortRequest, RunRequest } from './request.ts';

/** Ports that an image may name: one line of it can name them all, and each is a socket of the host (T34). */
const MOST = 1000;

/**
 * `--publish-all`: each port that the image or --expose names and nothing publishes yet gets any free port of the host. Where there are none to
 * publish Podman passes over it, too.
 */
export function publishAll(request: RunRequest, image: ImageRecord | undefined): Result<RunRequest, Problem[]> {
  if (!request.publishAll || WITHOUT_PORTS.includes(request.networks[0]?.split(':')[0] ?? '')) return ok(request);
  const exposed = image?.config.exposedPorts.flatMap(readExposed) ?? [];
  const many = exposed.reduce((sum, { count }) => sum + count, 0);
  if (many > MOST)
    return err([
      problem('option-value', `--publish-all: ${request.image ?? ''} exposes ${many} ports, more than ${MOST}`, {
        hint: 'name those that are wanted with --publish',
      }),
    ]);
  const ports = [...request.ports];
  const known = new Set<string>();
  for (const { port, count, protocol } of [...exposed, ...request.exposed]) {
    for (let one = port; one < port + count; one++) {
      const word = `${one}/${protocol}`;
      const isKnown =
        known.has(word) || request.ports.some(p => p.protocol === protocol && p.port <= one && one < p.port + p.count);
      known.add(word);
      if (!isKnown) ports.push({ hostAddress: '', hostPort: 0, port: one, count: 1, protocol });
    }
  }
  return ok({ ...request, ports });
}

/** `80`, `80/tcp`, `8000-8010/udp` of an image; what is none of these exposes nothing. */
function readExposed(text: string): Pick<PortRequest, 'port' | 'count' | 'protocol'>[] {
  const [ports = '', protocol = 'tcp'] = text.toLowerCase().split('/');
  const range = readRange(ports);
  if (range === undefined || (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp')) return [];
  return [{ port: range.first, count: range.count, protocol }];
}
