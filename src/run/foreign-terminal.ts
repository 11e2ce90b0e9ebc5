/**
 * The terminal of a container of crun. crun (1.21) asks whether its payload has ended before it looks at the terminal for the first time: what a
 * quick command had written was lost. So the terminal comes to us (runc's docs/terminals.md, `--console-socket`), and we attend to it as to one
 * of ours. runc relays its terminal well, and hands it over only when it does not stay.
 */
import type { Host } from '../host/host.ts';
import { Failure } from './failure.ts';

/** Where the other runtime sends the terminal; empty: it relays it itself. `directory` is open to nobody else. */
export function consolePath(runtime: string, directory: string): string {
  return runtime.slice(runtime.lastIndexOf('/') + 1) === 'crun' ? `${directory}/console` : '';
}

/** The socket at consolePath(). */
export function listenForConsole(host: Host, directory: string): number {
  const place = host.open(directory, O_PATH);
  try {
    // The path of a long name does not fit into an address (unix(7)); crun may be another id of the container.
    return host.bindUnix(`/proc/self/fd/${place}/console`, 'stream', 0o666);
  } finally {
    host.close(place);
  }
}

/** Pty master of a payload that runs: crun has sent it before. A Failure (125) when none comes. */
export function takeConsole(host: Host, listener: number): number {
  const comes = host.poll([listener], LONGEST_MS).length > 0;
  const socket = comes ? host.accept(listener) : -1;
  host.close(listener);
  const terminal = comes ? host.receive(socket, 4096, LONGEST_MS).fds[0] : undefined;
  if (comes) host.close(socket);
  if (terminal === undefined) throw new Failure(125, 'crun has sent no terminal');
  return terminal;
}

const LONGEST_MS = 5_000;
const O_PATH = 0o10000000;
