import { lastValue } from '../command/read.ts';
import type { Command, OptionUse } from '../command/types.ts';
import type { Child, Host } from '../host/host.ts';
import { isFor } from '../image/registry/platform-match.ts';
import { findImage, type FoundImage } from '../image/resolve.ts';
import type { RunRequest } from '../plan/request.ts';
import { tellEvent } from './event.ts';
import { Failure } from './failure.ts';

/** Bytes arrived: systemd waits this much longer (sd_notify(3)). More than what the client takes for a stall, and another try. */
const EXTENSION = 90_000_000;

/** Milliseconds that a start with a usable image waits for a byte of a newer one: two thirds of what systemd waits by itself (90 s). */
const PATIENCE = 60_000;

/**
 * The image of a start. When it is there and the policy does not ask the registry, nothing but this store is looked at. Otherwise
 * `berth pull` runs as a child and has ended when this returns: what it says goes to our standard error, its progress to systemd. That is
 * done by us, not by the child: while a unit starts we are its main process, which NotifyAccess=main trusts.
 * `startLimit` tells how many milliseconds systemd gives to this start.
 * undefined: there is no image in the request, or none was found and none is to be fetched.
 */
export function ensureImage(
  host: Host,
  command: Command,
  request: RunRequest,
  store: string,
  notify: boolean,
  startLimit = (): number | undefined => undefined,
): FoundImage | undefined {
  const reference = request.image;
  if (reference === undefined) return undefined;
  const there = findImage(host, store, reference);
  const found = there !== undefined && fits(there, command) ? there : undefined;
  if (request.pull === 'never') {
    if (there === undefined || found !== undefined) return there;
    const what = `it is for ${there.record.os}/${there.record.architecture}, and --pull=never forbids to fetch another`;
    throw new Failure(125, `${reference}: ${what}`);
  }
  if (request.pull === 'missing' && found !== undefined) return found;
  const spare = request.pull === 'newer' && found !== undefined;
  const words = pullWords(host, command, request, notify);
  const status = pull(host, words, notify, spare ? patienceOf(startLimit()) : Infinity);
  // The child uses it by itself, but for what it does not come to: without Node, without memory.
  if (status !== 0 && spare) {
    host.write(2, `berth: warning: ${reference}: not asked for a newer one; the image that is there is used\n`);
    return found;
  }
  // The child has said why.
  if (notify) tellPull(host, reference, status, there, findImage(host, store, reference));
  if (status !== 0) throw new Failure(125, []);
  return findImage(host, store, reference);
}

/** `berth pull` that is a unit's own process, as of an .image unit: told as that of a start is. */
export function pullForUnit(host: Host, command: Command, reference: string, store: string): number {
  const before = findImage(host, store, reference);
  const words = wordsOf(host, command.globals, [...command.options.map(asWord), '--format=progress'], reference);
  const status = pull(host, words, true, Infinity);
  const after = findImage(host, store, reference);
  tellPull(host, reference, status, before, after);
  if (status === 0 && after !== undefined) host.write(1, `${after.record.id}\n`);
  return status;
}

/** A third is left for the start itself. */
function patienceOf(limit: number | undefined): number {
  return limit === undefined || limit <= 0 ? PATIENCE : Math.min(PATIENCE, (limit * 2) / 3);
}

/** By us, not by the child: when the journal looks whose unit an entry is of, the child may be gone. */
function tellPull(
  host: Host,
  reference: string,
  status: number,
  before: FoundImage | undefined,
  after: FoundImage | undefined,
): void {
  const fields = { BERTH_TYPE: 'image', BERTH_NAME: reference, BERTH_ID: after?.record.id ?? '' };
  if (status !== 0) {
    const reason = { BERTH_ERROR: 'the line before this one says why' };
    tellEvent(host, 'pull-error', `${reference} could not be pulled`, { ...fields, ...reason });
  } else if (after?.record.id !== before?.record.id) tellEvent(host, 'pull', `pulled ${reference}`, fields);
}

/** Whether an image that is there is for the platform that was asked for. */
function fits({ record }: FoundImage, command: Command): boolean {
  const names = ['os', 'arch', 'variant'].map(name => lastValue(command, name));
  const [os, architecture, variant] = lastValue(command, 'platform')?.split('/') ?? names;
  return isFor(record, { os, architecture, variant });
}

/** Options of `run` that mean the same to `pull`. */
const PASSED = new Set([
  'arch',
  'os',
  'variant',
  'platform',
  'authfile',
  'tls-verify',
  'retry',
  'retry-delay',
  'quiet',
]);

function pullWords(host: Host, command: Command, request: RunRequest, notify: boolean): string[] {
  const globals = command.globals.filter(use => ['root', 'config'].includes(use.name));
  const options = command.options.filter(use => PASSED.has(use.name)).map(asWord);
  if (notify) options.push('--format=progress');
  options.push(`--policy=${request.pull}`);
  return wordsOf(host, globals, options, request.image ?? '');
}

function wordsOf(host: Host, globals: readonly OptionUse[], options: readonly string[], reference: string): string[] {
  return [host.readlink('/proc/self/exe'), ...globals.map(asWord), 'pull', ...options, '--', reference];
}

function asWord(use: OptionUse): string {
  return `--${use.name}=${use.value}`;
}

const SIGTERM = 15;
const SIGKILL = 9;

/**
 * A stop meanwhile lets the child put away what it has begun: when we are gone systemd kills what is left (KillMode=mixed). A unit's pull
 * that brings nothing for `patience` (ms) is ended, and soon without its help: retries, mirrors and registries each have limits of their own,
 * which add up.
 */
function pull(host: Host, argv: readonly string[], notify: boolean, patience: number): number {
  const environment = host.environmentList().filter(pair => !pair.startsWith('NOTIFY_SOCKET='));
  const [readEnd, writeEnd] = host.pipe();
  let child: Child;
  try {
    child = host.spawn({ argv, environment, stdout: writeEnd, endsFirst: true });
  } finally {
    host.close(writeEnd);
  }
  if (notify && !forward(host, readEnd, patience)) {
    host.signal(child.pidfd, SIGTERM);
    if (host.poll([child.pidfd], patience / 6).length === 0) host.signal(child.pidfd, SIGKILL);
  }
  // To the end. The image's id is of no use to a person who wants the container.
  while (host.receive(readEnd, 4096, -1).data !== '');
  host.close(readEnd);
  return host.wait(child).status ?? 125;
}

/**
 * Lines `BEAT TEXT`: the text is the unit's status; a larger number than before says that bytes came and is a reason to wait longer, a mere
 * line is not. False: none came for `patience` milliseconds; once systemd has heard of one, for PATIENCE.
 */
function forward(host: Host, fd: number, patience: number): boolean {
  let rest = '';
  let before = 0;
  let since = host.monotonic();
  for (;;) {
    const most = before > 0 ? Math.max(patience, PATIENCE) : patience;
    const left = most === Infinity ? -1 : Math.max(0, most - (host.monotonic() - since) / 1000);
    if (host.poll([fd], left).length === 0) return false;
    const { data } = host.receive(fd, 65_536, -1);
    if (data === '') break;
    const lines = (rest + data).split('\n');
    rest = lines.pop() ?? '';
    const line = lines.at(-1);
    if (line === undefined) continue;
    const blank = line.indexOf(' ');
    const beat = Number(line.slice(0, blank));
    const extend = beat > before ? `\nEXTEND_TIMEOUT_USEC=${EXTENSION}` : '';
    if (beat > before) since = host.monotonic();
    before = beat;
    host.notify(`STATUS=${line.slice(blank + 1)}${extend}`, false);
  }
  host.notify('STATUS=', false);
  return true;
}
