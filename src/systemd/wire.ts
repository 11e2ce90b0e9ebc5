/**
 * The D-Bus of the hot path: a connection, calls, and the signals that come meanwhile, over Unix sockets of the Host and without Node.
 *
 * root, and an account for its own user manager, speak to systemd's private socket: no bus daemon is needed, and signals come unasked
 * (systemd, src/core/dbus.c: "direct buses" receive every signal). An account speaks to the system manager over the system bus.
 */
import { HostError, type Bytes, type Host } from '../host/host.ts';
import { outerUid } from '../host/outer-uid.ts';
import { Failure } from '../run/failure.ts';
import { marshal, pad, readU32 } from './marshal.ts';
import { decode, type Message } from './message.ts';

export interface Bus {
  readonly host: Host;
  readonly fd: number;
  /** Messages over the system bus name their destination; on a private socket there is none. */
  readonly daemon: boolean;
  serial: number;
  /** Whether the manager has accepted us and, over a bus, sends us its signals. */
  ready: boolean;
  /** Bytes that were read and not yet parsed. */
  buffer: Bytes;
  /** Signals that came while a reply was awaited. */
  readonly signals: Message[];
}

/** A call that the other side refused, or that got no answer. `name` is the D-Bus error's name. */
export class BusError extends Failure {
  constructor(name: string, message: string) {
    super(125, message);
    this.name = name;
  }
}

const REPLY_MS = 25_000;
const SYSTEM_BUS = '/run/dbus/system_bus_socket';
const JOB_REMOVED =
  "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'";

/**
 * A connection on which the manager can be called and its JobRemoved signals arrive. The manager looks at who we are while the caller
 * works; the first call takes its answer. Throws BusError.
 */
export function connectManager(host: Host, manager: 'system' | 'user'): Bus {
  const bus = openFirst(host, manager, manager === 'system' ? systemSockets(host) : userSockets(host));
  authenticate(bus);
  return bus;
}

/** A call that arrives together with BEGIN is not noticed by systemd until something follows it. */
function makeReady(bus: Bus): void {
  if (bus.ready) return;
  readGreeting(bus);
  bus.ready = true;
  if (bus.daemon) beginOnBus(bus);
}

/** Over a bus, signals come only where a rule asks for them, and systemd sends them only to subscribers. */
function beginOnBus(bus: Bus): void {
  const daemon = {
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
  };
  call(bus, { ...daemon, member: 'Hello' });
  call(bus, { ...daemon, member: 'AddMatch', signature: 's', values: [JOB_REMOVED] });
  call(bus, { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.systemd1.Manager', member: 'Subscribe' });
}

interface Socket {
  readonly path: Bytes;
  readonly daemon: boolean;
}

function openFirst(host: Host, manager: string, sockets: readonly Socket[]): Bus {
  let reason = 'XDG_RUNTIME_DIR is not set';
  for (const { path, daemon } of sockets) {
    try {
      return { host, fd: host.connectUnix(path, 'stream'), daemon, serial: 0, ready: false, buffer: '', signals: [] };
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      reason = error.message;
    }
  }
  throw new BusError('Unreachable', `the ${manager} manager of systemd cannot be reached: ${reason}`);
}

function systemSockets(host: Host): Socket[] {
  const bus = { path: busPath(host.environment('DBUS_SYSTEM_BUS_ADDRESS')) ?? SYSTEM_BUS, daemon: true };
  return outerUid(host) === 0 ? [{ path: '/run/systemd/private', daemon: false }, bus] : [bus];
}

function userSockets(host: Host): Socket[] {
  const standard = `/run/user/${outerUid(host)}`;
  const runtime = host.environment('XDG_RUNTIME_DIR') ?? (host.stat(standard) === undefined ? undefined : standard);
  const bus = busPath(host.environment('DBUS_SESSION_BUS_ADDRESS')) ?? (runtime && `${runtime}/bus`);
  const sockets: Socket[] = [];
  if (runtime !== undefined) sockets.push({ path: `${runtime}/systemd/private`, daemon: false });
  if (bus !== undefined) sockets.push({ path: bus, daemon: true });
  return sockets;
}

/** The first Unix socket of an address list (D-Bus Specification, "Server Addresses"); `@` starts an abstract name. */
export function busPath(addresses: Bytes | undefined): Bytes | undefined {
  for (const address of (addresses ?? '').split(';')) {
    if (!address.startsWith('unix:')) continue;
    for (const pair of address.slice('unix:'.length).split(',')) {
      const value = pair
        .slice(pair.indexOf('=') + 1)
        .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
      if (pair.startsWith('path=')) return value;
      if (pair.startsWith('abstract=')) return `@${value}`;
    }
  }
  return undefined;
}

export interface Call {
  readonly destination?: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly values?: readonly unknown[];
}

/** Sends and waits for the answer (25 s). Throws BusError. */
export function call(bus: Bus, request: Call): readonly unknown[] {
  return answerTo(bus, post(bus, request));
}

/** Sends a call; its serial number, for `answerTo`. */
export function post(bus: Bus, request: Call): number {
  makeReady(bus);
  const serial = ++bus.serial;
  const text = encode(serial, bus.daemon, request);
  untilItEnds(() => bus.host.send(bus.fd, text));
  return serial;
}

/** Waits for the answer to a call (25 s). Throws BusError. */
export function answerTo(bus: Bus, serial: number): readonly unknown[] {
  for (;;) {
    const message = nextMessage(bus, REPLY_MS);
    if (message.type === 4) bus.signals.push(message);
    if (message.replySerial !== serial) continue;
    if (message.type === 2) return message.values;
    if (message.type === 3) throw new BusError(message.errorName, errorLine(message));
  }
}

/** The next signal that `wanted` accepts; without a limit of time, as jobs take what they take. */
export function waitForSignal(bus: Bus, wanted: (message: Message) => boolean): Message {
  for (;;) {
    const queued = bus.signals.shift();
    const message = queued ?? nextMessage(bus, -1);
    if (message.type === 4 && wanted(message)) return message;
  }
}

/** EXTERNAL: the kernel tells who we are (D-Bus Specification, "Authentication Protocol"). */
function authenticate(bus: Bus): void {
  const uid = String(outerUid(bus.host));
  const hex = Array.from(uid, digit => digit.charCodeAt(0).toString(16)).join('');
  bus.host.send(bus.fd, `\0AUTH EXTERNAL ${hex}\r\nBEGIN\r\n`);
}

function readGreeting(bus: Bus): void {
  while (!bus.buffer.includes('\r\n')) fill(bus, REPLY_MS);
  const end = bus.buffer.indexOf('\r\n');
  const answer = bus.buffer.slice(0, end);
  bus.buffer = bus.buffer.slice(end + 2);
  if (!answer.startsWith('OK '))
    throw new BusError('AuthFailed', `the manager refused to speak with uid ${outerUid(bus.host)}: ${answer}`);
}

/** The error's text in one line, without control characters (T28); its name when it has none. */
function errorLine(message: Message): string {
  const [text] = message.values;
  const said = typeof text === 'string' && text !== '' ? text : message.errorName;
  // eslint-disable-next-line no-control-regex
  return `systemd: ${said.replace(/[\x00-\x1f\x7f]/g, '?').replace(/\.$/, '')}`;
}

function encode(serial: number, daemon: boolean, request: Call): Bytes {
  const body = marshal(request.signature ?? '', request.values ?? []);
  const fields: [number, [string, unknown]][] = [
    [1, ['o', request.path]],
    [2, ['s', request.interface]],
    [3, ['s', request.member]],
  ];
  if (daemon) fields.push([6, ['s', request.destination ?? 'org.freedesktop.systemd1']]);
  if (body !== '') fields.push([8, ['g', request.signature]]);
  const head = marshal('yyyyuua(yv)', [0x6c, 1, 0, 1, body.length, serial, fields]);
  return head + pad(head.length, 8) + body;
}

function nextMessage(bus: Bus, timeout: number): Message {
  while (bus.buffer.length < 16) fill(bus, timeout);
  if (bus.buffer.charAt(0) !== 'l') throw new BusError('InvalidMessage', 'the manager answers in big endian');
  const fieldsLength = readU32(bus.buffer, 12);
  const headLength = 16 + fieldsLength + pad(fieldsLength, 8).length;
  const bodyLength = readU32(bus.buffer, 4);
  if (headLength + bodyLength > 0x800_0000) throw new BusError('InvalidMessage', 'a message is longer than 128 MiB');
  while (bus.buffer.length < headLength + bodyLength) fill(bus, timeout);
  const data = bus.buffer.slice(0, headLength + bodyLength);
  bus.buffer = bus.buffer.slice(headLength + bodyLength);
  return decode(data, headLength);
}

function fill(bus: Bus, timeout: number): void {
  let data: Bytes;
  try {
    ({ data } = untilItEnds(() => bus.host.receive(bus.fd, 65_536, timeout)));
  } catch (error) {
    if (error instanceof HostError && error.code === 'ETIMEDOUT')
      throw new BusError('Silent', `the manager did not answer within ${REPLY_MS / 1000} s`);
    throw error;
  }
  if (data === '') throw new BusError(ENDED, 'the manager closed the connection');
  bus.buffer += data;
}

const ENDED = 'Disconnected';
function untilItEnds<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    const ended = error instanceof HostError && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
    throw ended ? new BusError(ENDED, error.message) : error;
  }
}

/** What a manager that is being re-executed, or a bus that restarts, answers for a moment: as in jobs.ts. */
const PASSING = /(Disconnected|NoReply|ServiceUnknown|NameHasNoOwner)$/;
const ATTEMPTS = 20;

/** A step that makes its own connection, once more as often as that ends under it. `again`: it may have come far before. */
export function steadily<T>(host: Host, step: (again: boolean) => T): T {
  for (let attempt = 0; ; attempt++) {
    try {
      return step(attempt > 0);
    } catch (error) {
      const passes =
        error instanceof BusError && (PASSING.test(error.name) || (attempt > 0 && error.name === 'Unreachable'));
      if (!passes || attempt === ATTEMPTS) throw error;
      host.poll([], 250);
    }
  }
}
