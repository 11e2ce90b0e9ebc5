import type { Host, Stdio } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import type { Spec } from '../plan/spec.ts';

/**
 * The payload's standard streams. Two pipes of its own, never the journal's socket: `open("/dev/stdout")` of a socket fails with
 * ENXIO, which breaks nginx, apache and shell scripts. `passthrough` hands ours over as they are.
 */
export interface Streams {
  readonly stdio: readonly [Stdio, Stdio, Stdio];
  /** Read ends for the relay; absent without pipes. */
  readonly out?: number;
  readonly err?: number;
  /** Writing end of its standard input (input.ts). */
  readonly input?: number;
  /** Closes the payload's ends, which only it may hold, or the relay would never see their end. */
  closePayloadEnds(): void;
}

export function makeStreams(
  host: Host,
  request: RunRequest,
  spec: Spec,
  { relays, keepsInput, attended }: { relays: boolean; keepsInput: boolean; attended: boolean },
): Streams {
  const nothing = { closePayloadEnds: () => undefined };
  // Another runtime relays its terminal to ours itself.
  if (request.tty && relays) return { stdio: ['inherit', 'inherit', 'inherit'], ...nothing };
  if (request.tty) return { stdio: ['null', 'null', 'null'], ...nothing };
  if (request.logDriver.startsWith('passthrough')) return { stdio: ['inherit', 'inherit', 'inherit'], ...nothing };
  const kept = keepsInput ? payloadPipe(host, spec, 0) : undefined;
  const input: Stdio = kept?.[0] ?? (request.interactive ? 'inherit' : 'null');
  const given = kept === undefined ? {} : { input: kept[1] };
  const closing = (...ends: readonly number[]) => ({
    closePayloadEnds: () => [...ends, ...(kept?.slice(0, 1) ?? [])].forEach(fd => host.close(fd)),
  });
  // Nothing is kept of it; a person in front of it sees it all the same.
  if (request.logDriver === 'none' && !attended) return { stdio: [input, 'null', 'null'], ...given, ...closing() };
  const [out, outEnd] = payloadPipe(host, spec, 1);
  const [err, errEnd] = payloadPipe(host, spec, 1);
  return { stdio: [input, outEnd, errEnd], out, err, ...given, ...closing(outEnd, errEnd) };
}

/**
 * The payload opens /dev/stdout anew, with its own uid: it must be the owner of the pipe. An account may not give a file to one of
 * its mapped ids, so there the pipe is open to all at the payload's end; nobody else can reach it (/proc/PID/fd asks for ptrace rights).
 */
function payloadPipe(host: Host, spec: Spec, end: 0 | 1): [number, number] {
  const user = spec.process?.user ?? { uid: 0, gid: 0 };
  if (host.euid === 0) {
    return host.pipe({
      uid: outside(spec.linux.uidMappings, user.uid),
      gid: outside(spec.linux.gidMappings, user.gid),
    });
  }
  const pipe = host.pipe();
  host.chmod(`/proc/self/fd/${pipe[end]}`, end === 0 ? 0o644 : 0o622);
  return pipe;
}

/** The host's id of an id inside; the same when there is no map. */
export function outside(map: Spec['linux']['uidMappings'], id: number): number {
  for (const line of map ?? []) {
    if (id >= line.containerID && id < line.containerID + line.size) return line.hostID + id - line.containerID;
  }
  return id;
}

/** Standard output is a stream of the journal: $JOURNAL_STREAM names its device and inode (systemd.exec(5)). */
export function isJournal(host: Host, fd: 1 | 2): boolean {
  const named = host.environment('JOURNAL_STREAM');
  if (named === undefined) return false;
  const stat = host.stat(`/proc/self/fd/${fd}`);
  return stat !== undefined && named === `${stat.device}:${stat.inode}`;
}
