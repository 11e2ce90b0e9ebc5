import dbus from 'dbus-next';
import { decodeText } from '../base/text.ts';

/**
 * The manager of systemd on D-Bus, for the verbs that control units: the only importer of dbus-next, its low-level calls only. (The hot
 * path, which has no Node, speaks wire.ts.) What the package does not do is done here: every call has an end of time, two match rules
 * per connection, and whoever waits when the connection ends is told so. Interface: man 5 org.freedesktop.systemd1.
 */

/** Whose manager. `uid` is the account's whose manager is meant. */
export type Scope = { readonly kind: 'system' } | { readonly kind: 'user'; readonly uid: number };

/** A call that was refused or not answered. `name` is the D-Bus error's name. */
export class ControlError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

export interface Signal {
  readonly member: string;
  readonly path: string;
  readonly body: readonly unknown[];
}

export interface Request {
  /** Default: the manager's object. */
  readonly path?: string;
  /** Default: org.freedesktop.systemd1.Manager. */
  readonly interface?: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
  /** Milliseconds. */
  readonly timeout?: number;
  /** polkit may ask a person first, who takes the time that it takes. */
  readonly mayAsk?: boolean;
}

export interface ManagerBus {
  /** Throws ControlError. Variants are unwrapped; 64-bit numbers are BigInt. */
  call(request: Request): Promise<readonly unknown[]>;
  /** Signals of the manager from now on. The result ends it. */
  listen(listener: (signal: Signal) => void): () => void;
  /** Rejects when the connection ends; never resolves. */
  readonly ended: Promise<never>;
  close(): void;
}

const SYSTEMD = 'org.freedesktop.systemd1';
const RULES = [
  `type='signal',sender='${SYSTEMD}',path_namespace='/org/freedesktop/systemd1'`,
  `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${SYSTEMD}'`,
];
const REPLY_MS = 25_000;
const PERSON_MS = 300_000;
/** ALLOW_INTERACTIVE_AUTHORIZATION: polkit may ask the person (D-Bus Specification, "Message Format"). */
const INTERACTIVE = 4;
/** NO_AUTO_START: while the manager is being re-executed the bus would keep a call until it gives up starting one. */
const AS_IT_IS = 2;

/** Connects and subscribes to the manager's signals. Throws ControlError when the manager cannot be reached. */
export async function connectBus(scope: Scope, interactive: boolean): Promise<ManagerBus> {
  const bus = new Connection(scope, interactive);
  try {
    await bus.begin();
  } catch (error) {
    bus.close();
    throw error;
  }
  return bus;
}

/** The bus of a manager: the system's, or the one in the account's runtime directory, as sd-bus finds it. */
export function busAddress(scope: Scope, environment: (name: string) => string | undefined, uid: number): string {
  if (scope.kind === 'system') return environment('DBUS_SYSTEM_BUS_ADDRESS') ?? 'unix:path=/run/dbus/system_bus_socket';
  const own = scope.uid === uid;
  const session = own ? environment('DBUS_SESSION_BUS_ADDRESS') : undefined;
  const runtime = (own ? environment('XDG_RUNTIME_DIR') : undefined) ?? `/run/user/${scope.uid}`;
  return session ?? `unix:path=${runtime}/bus`;
}

/** Arguments of StartTransientUnit for properties as org.freedesktop.systemd1(5) has them: name, signature, value. Texts are byte strings. */
export function transientBody(unit: string, properties: readonly (readonly [string, string, unknown])[]): unknown[] {
  return [
    unit,
    'replace',
    properties.map(([name, signature, value]) => [name, new dbus.Variant(signature, wire(signature, value))]),
    [],
  ];
}

/** As the package wants them: 64 bits as BigInt, bytes as Buffer. */
function wire(signature: string, value: unknown): unknown {
  if (typeof value === 'string') return decodeText(value);
  if (signature === 't' && typeof value === 'number') return BigInt(value);
  if (signature === 'ay') return Buffer.from(value as number[]);
  const inner = signature === 'aay' ? 'ay' : '';
  return Array.isArray(value) ? value.map(one => wire(inner, one)) : value;
}

class Connection implements ManagerBus {
  readonly ended: Promise<never>;
  readonly #bus: dbus.MessageBus;
  readonly #flags: number;
  readonly #name: string;
  readonly #listeners = new Set<(signal: Signal) => void>();
  #fail: (error: ControlError) => void = () => undefined;

  constructor(scope: Scope, interactive: boolean) {
    this.#flags = interactive ? INTERACTIVE | AS_IT_IS : AS_IT_IS;
    this.#name = scope.kind === 'system' ? 'the system manager' : `the user manager of uid ${scope.uid}`;
    this.ended = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.ended.catch(() => undefined);
    const address = busAddress(scope, name => process.env[name], process.getuid?.() ?? -1);
    this.#bus = dbus.sessionBus({ busAddress: address });
    this.#bus.on('error', (error: unknown) => {
      this.#fail(new ControlError('Disconnected', `${this.#name} cannot be reached: ${reasonOf(error)}`));
    });
    // The package hides the end of the stream (lib/connection.js emits 'end' for itself alone).
    const { _connection: connection } = this.#bus as unknown as { _connection: NodeJS.EventEmitter };
    connection.on('end', () => {
      this.#fail(new ControlError('Disconnected', `the connection to ${this.#name} ended`));
    });
    this.#bus.on('message', (message: dbus.Message) => {
      if (message.type !== dbus.MessageType.SIGNAL) return;
      // Signals of a manager that leaves its bus, to be re-executed, are lost: whoever waits for one looks anew.
      if (message.member === 'NameOwnerChanged' && message.body[2] === '')
        this.#fail(new ControlError('org.freedesktop.DBus.Error.NameHasNoOwner', `${this.#name} left its bus`));
      const signal = { member: message.member, path: message.path, body: message.body.map(plain) };
      for (const listener of this.#listeners) listener(signal);
    });
  }

  async begin(): Promise<void> {
    for (const rule of RULES)
      await this.#send('org.freedesktop.DBus', {
        path: '/org/freedesktop/DBus',
        interface: 'org.freedesktop.DBus',
        member: 'AddMatch',
        signature: 's',
        body: [rule],
      });
    await this.call({ member: 'Subscribe' });
  }

  call(request: Request): Promise<readonly unknown[]> {
    return this.#send(SYSTEMD, request);
  }

  listen(listener: (signal: Signal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#bus.disconnect();
  }

  async #send(destination: string, request: Request): Promise<readonly unknown[]> {
    const asksPerson = request.mayAsk === true && (this.#flags & INTERACTIVE) !== 0;
    const timeout = asksPerson ? PERSON_MS : (request.timeout ?? REPLY_MS);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const text = `${this.#name} did not answer ${request.member} within ${timeout / 1000} s`;
      timer = setTimeout(() => reject(new ControlError('NoReply', text)), timeout);
    });
    try {
      const reply = await Promise.race([this.#bus.call(this.#message(destination, request)), late, this.ended]);
      return (reply?.body ?? []).map(plain);
    } catch (error) {
      if (error instanceof ControlError) throw error;
      const { type, text } = error as { type?: string; text?: string };
      throw new ControlError(type ?? 'Failed', oneLine(text ?? reasonOf(error)));
    } finally {
      clearTimeout(timer);
    }
  }

  #message(destination: string, request: Request): dbus.Message {
    return new dbus.Message({
      destination,
      path: request.path ?? '/org/freedesktop/systemd1',
      interface: request.interface ?? `${SYSTEMD}.Manager`,
      member: request.member,
      signature: request.signature ?? '',
      body: [...(request.body ?? [])],
      flags: this.#flags,
    });
  }
}

/** Values without the package's variants, all the way down. */
function plain(value: unknown): unknown {
  if (value instanceof dbus.Variant) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
  }
  return value;
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: string }).code;
  if (code === 'ENOENT')
    return 'its bus is not there (is it running? an account without login needs `loginctl enable-linger`)';
  return oneLine(text);
}

/** Text of the other side in one line (T28), without a full stop. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\x00-\x1f\x7f]+/g, ' ').replace(/\.$/, '');
}
