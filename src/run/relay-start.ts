import type { Child, Host } from '../host/host.ts';
import { RELAY, type RelayProgram } from '../host/kernel.ts';
import { joinsUser } from '../ops/compile.ts';
import { namespacesOf } from './begin.ts';
import { listenIn } from './bundle-sockets.ts';
import { findContainer } from './containers.ts';
import { eventWords } from './event.ts';
import { Failure } from './failure.ts';
import type { Started } from './finish.ts';
import { healthWords } from './health-start.ts';
import { logFileWords } from './log-file.ts';
import type { ProcessName } from './state.ts';
import { isJournal } from './streams.ts';

const O_RDONLY = 0;
const O_WRONLY = 1;
const JOURNAL = '/run/systemd/journal/stdout';
const NEWUSER = 0x10000000;
const NEWPID = 0x20000000;

/**
 * Starts the relay (native/tiny/relay.c) for the payload's pipes and notifications; undefined when there is nothing to carry. Returns when
 * it holds the payload's end back: only then may the payload be executed. Our copies of what it carries are closed.
 */
export function startRelay(host: Host, started: Started, handsOver: boolean): Child | undefined {
  const { streams, begun, made, request } = started;
  const { sdnotify, timeout } = request;
  const { health, logFile } = started.prepared;
  // The relay reads a terminal that nobody attends to.
  const terminal = handsOver ? begun.heard.fds.get('console') : undefined;
  const out = streams.out ?? terminal;
  if (out === undefined && !handsOver && timeout === 0 && health === undefined) return undefined;
  // No log to carry and no messages to filter (LogDriver=passthrough): nothing of ours stays, the launcher says READY=1.
  if (out === undefined && sdnotify !== 'container' && health === undefined && timeout === 0) return undefined;
  const words: string[] = [];
  const descriptors: number[] = [];
  const opened: number[] = [];
  const give = (name: string, fd: number | undefined): void => {
    if (fd !== undefined) words.push(`${name}=${descriptors.push(fd) - 1}`);
  };
  const take = (fd: number): number => {
    opened.push(fd);
    return descriptors.push(fd) - 1;
  };
  const opening = (path: string, flags: number): number => take(host.open(path, flags));
  const open = (name: string, path: string, flags: number): void => void words.push(`${name}=${opening(path, flags)}`);
  give('out', out);
  give('err', streams.err);
  if (handsOver && terminal !== undefined && out === terminal)
    words.push(`attach=${take(listenIn(host, started.place.bundle, 'attach'))}`);
  sinkWords(host, started, words, give);
  give('payload', begun.stage.pidfd);
  supportWords(host, started, (name, fd) => void words.push(`${name}=${take(fd)}`));
  // A person's foreground container: we stay, and the end of the relay is the end of our output. In a unit nobody would see it.
  const attended = !handsOver && !started.place.context.inUnit;
  if (attended) words.push('attended=1');
  else if (made.group !== undefined) open('kill', `${made.group.directory}/cgroup.kill`, O_WRONLY);
  // With checks also for the freezer: nobody who is paused is asked.
  if (made.group !== undefined && (!attended || health !== undefined))
    open('events', `${made.group.directory}/cgroup.events`, O_RDONLY);
  if (handsOver) {
    give('status', begun.stage.status);
    give('notify', made.notify);
    // Only where systemd waits for the payload itself: who attends to it waits for the relay, too.
    words.push(...managerWords(host, started), ...holdWords(host, started));
  }
  if (logFile !== undefined) words.push(...logFileWords(logFile, identifierOf(started), opening));
  const up = attended ? undefined : host.pipe();
  give('up', up?.[1]);
  if (health !== undefined) words.push(...healthWords(host, started, health, opening));
  if (health?.health !== undefined) words.push(`ask=${take(listenIn(host, started.place.bundle, 'ask'))}`);
  if (timeout > 0) words.push(`limit=${timeout * 1000}`);
  if (health !== undefined) words.push(`tiny=${descriptors.length}`);
  const child = host.relay(words, descriptors, health !== undefined, programFor(words));
  for (const fd of [...opened, up?.[1], streams.out, streams.err, terminal, made.notify])
    if (fd !== undefined) host.close(fd);
  if (up !== undefined) {
    // It writes a byte when everything is in place; one that was killed before only closes its end.
    const ended = host.poll([up[0]], 10_000).length > 0 && host.outcome({ status: up[0] }) === '';
    host.close(up[0]);
    if (ended) throw new Failure(125, 'the process that carries the log was killed before it worked');
  }
  return child;
}

/** The process that carries the network; and, of a pod's member, the holder, which it is for: else it is for the payload. */
function supportWords(host: Host, { network, request }: Started, give: (name: string, fd: number) => void): void {
  const pod = request.pod === undefined ? undefined : findContainer(host, networkTarget(request.networks))?.state;
  const { process } = pod?.network ?? network;
  if (process === undefined) return;
  const holder = pod === undefined ? undefined : openNamed(host, pod);
  if (holder !== undefined) give('victim', holder);
  else if (pod !== undefined) return;
  const support = openNamed(host, process);
  if (support !== undefined) give('support', support);
}

const networkTarget = ([first = '']: readonly string[]): string =>
  first.startsWith('container:') ? first.slice('container:'.length) : '';

/** undefined: it has ended. */
function openNamed(host: Host, { pid, startTime }: ProcessName): number | undefined {
  const fd = host.openProcess(pid);
  if (fd === undefined || host.startTime(pid) === startTime) return fd;
  host.close(fd);
  return undefined;
}

/** The smallest that knows the words. */
function programFor(words: readonly string[]): RelayProgram {
  const has = (name: string): boolean => words.some(word => word.startsWith(name));
  if (has('log-file=') || has('support=') || has('attach=') || has('limit=')) return RELAY.FILER;
  return has('tiny=') ? RELAY.PROBER : RELAY.PLAIN;
}

/** Where the lines go: to the journal when our own standard output does, else to our own streams. */
function sinkWords(host: Host, started: Started, words: string[], give: (name: string, fd: number) => void): void {
  const { place, prepared } = started;
  const { unit } = place.context.own;
  const identifier = identifierOf(started);
  const journal = [`journal=${JOURNAL}`, ...eventWords(started, identifier)];
  if (!isJournal(host, 1) && !isJournal(host, 2)) {
    if (!place.handsOver) {
      // What it says itself would stand in the middle of what a program draws on its terminal.
      if (!started.request.tty) {
        give('plain-out', 1);
        give('plain-err', 2);
      }
      words.push(...journal);
      return;
    }
    if (host.stat(JOURNAL) === undefined && prepared.logFile === undefined) return;
  }
  words.push(...journal, `identifier=${identifier}`, `unit=${unit}`);
  if (isJournal(host, 1)) give('given', 1);
}

function identifierOf({ place }: Started): string {
  const { unit } = place.context.own;
  return unit.endsWith('.service') ? unit.slice(0, -'.service'.length) : place.name;
}

/** READY=1 is the relay's: at once when the payload runs, or when it says so, or never. */
function managerWords(host: Host, started: Started): string[] {
  const { request, begun } = started;
  const manager = host.environment('NOTIFY_SOCKET') ?? '';
  const ready = { conmon: 'started', container: 'payload', healthy: 'probe', probe: 'probe', ignore: 'none' }[
    request.sdnotify
  ];
  const stored = host.environment('FDSTORE') !== undefined;
  return [
    `manager=${manager}`,
    `ready=${ready}`,
    `fdstore=${stored ? 1 : 0}`,
    `mainpid=${begun.stage.pid}`,
    'innerpid=1',
    ...senderWords(started),
  ];
}

/** Who may write to the notification socket: the ids of the container, as we see them (T33). Without a map all that can reach it. */
function senderWords(started: Started): string[] {
  const map = started.prepared.plan.spec.linux.uidMappings ?? [];
  return map.length === 0 ? [] : [`uids=${map.map(line => `${line.hostID}+${line.size}`).join(',')}`];
}

/** With a pid namespace of its own the payload's end can be kept back until its last line is written. */
function holdWords(host: Host, started: Started): string[] {
  const bits = namespacesOf(started.prepared.plan.spec);
  // Another runtime's pid namespace is its own to make.
  if ((bits & NEWPID) === 0 || started.place.foreign !== '') return [];
  const told = started.made.group !== undefined && tellsInTime(host.kernelRelease());
  const user = (bits & NEWUSER) !== 0 || joinsUser(started.prepared.plan.spec);
  return [user ? 'hold=user' : 'hold=pid', ...(told ? [] : ['look=1'])];
}

/** Since Linux 6.19 a process leaves its control group only after the exit that the hold keeps back: `events` tells too late. */
function tellsInTime(release: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map(part => parseInt(part, 10));
  return major < 6 || (major === 6 && minor < 19);
}
