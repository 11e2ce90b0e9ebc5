import { HostError, type Host } from '../host/host.ts';
import { isName } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';

/**
 * Secrets of an account: STORE/secrets/NAME, 0600, written by rename: one line of JSON, then the bytes. What a container gets is a copy in
 * its bundle below /run, or a variable; neither is in a command line, a unit file, config.json or the journal (T29).
 */
export interface SecretRecord {
  readonly version: 1;
  /** 25 hexadecimal digits, as the peer's. */
  readonly id: string;
  readonly name: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly updated: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Secret {
  readonly record: SecretRecord;
  readonly data: string;
}

/** The peer's limit: less than 512 kB. */
export const SECRET_LIMIT = 512_000;

const secretPath = (store: string, name: string): string => `${store}/secrets/${name}`;

/** undefined when there is none. */
export function readSecret(host: Host, store: string, name: string): Secret | undefined {
  if (!isName(name)) return undefined;
  const text = host.readFileIfExists(secretPath(store, name));
  const end = text?.indexOf('\n') ?? -1;
  if (text === undefined || end < 0) return undefined;
  const record = parseRecord(text.slice(0, end));
  return record === undefined ? undefined : { record, data: text.slice(end + 1) };
}

function parseRecord(line: string): SecretRecord | undefined {
  let record: SecretRecord;
  try {
    record = JSON.parse(line) as SecretRecord;
  } catch {
    return undefined;
  }
  if (record.version > 1) throw new Failure(125, `secret ${record.name}: made by a newer berth`);
  return record;
}

/** By name. */
export function listSecrets(host: Host, store: string): Secret[] {
  if (host.stat(`${store}/secrets`) === undefined) return [];
  const found: Secret[] = [];
  for (const { name, kind } of host.list(`${store}/secrets`)) {
    const secret = kind === 'file' ? readSecret(host, store, name) : undefined;
    if (secret !== undefined) found.push(secret);
  }
  return found;
}

/** By name, by id, or by a beginning of an id that only one has. A Failure (1) when there is none. */
export function requireSecret(host: Host, store: string, word: string): Secret {
  const exact = readSecret(host, store, word);
  if (exact !== undefined) return exact;
  const matches = word === '' ? [] : listSecrets(host, store).filter(({ record }) => record.id.startsWith(word));
  if (matches.length > 1) throw new Failure(125, `${word}: more than one secret's id begins so`);
  const [only] = matches;
  if (only === undefined) throw new Failure(1, `${word}: no such secret`);
  return only;
}

export function writeSecret(host: Host, store: string, { record, data }: Secret): void {
  host.mkdirs(`${store}/secrets`, 0o700);
  host.writeFileAtomic(secretPath(store, record.name), `${JSON.stringify(record)}\n${data}`, 0o600);
}

export function removeSecret(host: Host, store: string, name: string): void {
  host.unlink(secretPath(store, name));
}

/** Our own descriptor is read by another program: /dev/stdin cannot be opened when it is the pipe of another account. */
function standardInput(host: Host): string {
  return host.run({ argv: ['head', '-c', String(SECRET_LIMIT)], input: 0, stdout: 'capture' }).stdout;
}

/** The bytes of a new secret; a Failure (125) says why a file or standard input will not do. */
export function readSecretSource(host: Host, source: string): string {
  let data;
  try {
    data = source === '-' ? standardInput(host) : host.readFile(source, SECRET_LIMIT);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'EFBIG') throw new Failure(125, `${source}: a secret has less than ${SECRET_LIMIT} bytes`);
    throw new Failure(125, error.message);
  }
  if (data.length === 0) throw new Failure(125, `${source}: a secret is not empty`);
  if (data.length >= SECRET_LIMIT) throw new Failure(125, `${source}: a secret has less than ${SECRET_LIMIT} bytes`);
  return data;
}
