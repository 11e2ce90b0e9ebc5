import type { Host } from '../host/host.ts';

const O_PATH = 0o10000000;

/**
 * Sockets of the relay in the bundle, which no other account reaches (T33). `attach`: of who attaches to a terminal
 * (native/tiny/relay-file-terminal.c); `ask`: of who wants a health check now.
 */
export function listenIn(host: Host, bundle: string, name: 'attach' | 'ask'): number {
  return inside(host, bundle, directory =>
    host.bindUnix(`${directory}/${name}`, name === 'ask' ? 'datagram' : 'stream', 0o600),
  );
}

/** A HostError where nobody listens. */
export function sendTo(host: Host, bundle: string, name: 'ask'): void {
  inside(host, bundle, directory => {
    const socket = host.connectUnix(`${directory}/${name}`, 'datagram');
    host.send(socket, '1');
    host.close(socket);
  });
}

/** The path of a long name does not fit into an address (unix(7)). */
function inside<T>(host: Host, bundle: string, work: (directory: string) => T): T {
  const place = host.open(bundle, O_PATH);
  try {
    return work(`/proc/self/fd/${place}`);
  } finally {
    host.close(place);
  }
}
