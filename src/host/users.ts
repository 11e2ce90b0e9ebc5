import { parseJson } from '../base/json.ts';
import { HostError, type Bytes, type Host } from './host.ts';

/** An account of this host. */
export interface User {
  readonly name: Bytes;
  readonly uid: number;
  readonly gid: number;
  readonly home: Bytes;
  /** Where it is known. */
  readonly fullName?: Bytes;
}

/**
 * Finds an account by name, or by uid when the word is a number: in /etc/passwd, then in systemd's user database over varlink
 * (https://systemd.io/USER_GROUP_API), which knows those of DynamicUser= and homed, then by getent(1), which knows those of directory services.
 * A static program has no name service of its own.
 */
export function findUser(host: Host, word: Bytes): User | undefined {
  const isNumber = isId(word);
  const field = isNumber ? 2 : 0;
  return (
    inPasswd(host.readFileIfExists('/etc/passwd') ?? '', field, word) ??
    inDatabase(host, isNumber ? { uid: Number(word) } : { userName: word }) ??
    inPasswd(getent(host, 'passwd', word), field)
  );
}

/** The number of a group. */
export function findGroup(host: Host, name: Bytes): number | undefined {
  const lines = (host.readFileIfExists('/etc/group') ?? '').split('\n');
  const line = lines.find(one => one.startsWith(`${name}:`)) ?? getent(host, 'group', name);
  const id = line.split(':')[2];
  return isId(id) ? Number(id) : undefined;
}

/** What glibc's name service says, where it has more databases than those that were looked into. */
function getent(host: Host, table: 'passwd' | 'group', word: Bytes): Bytes {
  const more = new RegExp(`^${table}:(?!(\\s+files)*\\s*$)`, 'm');
  if (word === '' || !more.test(host.readFileIfExists('/etc/nsswitch.conf', 1 << 20) ?? '')) return '';
  try {
    return host.run({ argv: ['getent', table, '--', word], stdout: 'capture', stderr: 'capture', timeout: 5000 })
      .stdout;
  } catch (error) {
    if (error instanceof HostError) return '';
    throw error;
  }
}

/** Without a word the first one: a directory service may write a name in its own way. */
function inPasswd(text: Bytes, field: 0 | 2, word?: Bytes): User | undefined {
  for (const line of text.split('\n')) {
    const parts = line.split(':');
    // An empty number would be root's.
    if (parts.length < 7 || parts[field] !== (word ?? parts[field]) || !isId(parts[2]) || !isId(parts[3])) continue;
    return {
      name: parts[0] ?? '',
      uid: Number(parts[2]),
      gid: Number(parts[3]),
      home: parts[5] ?? '',
      fullName: parts[4]?.split(',')[0] ?? '',
    };
  }
  return undefined;
}

function isId(text: Bytes | undefined): boolean {
  return text !== undefined && /^\d{1,10}$/.test(text);
}

const SERVICES = '/run/systemd/userdb';
const MULTIPLEXER = 'io.systemd.Multiplexer';
const REPLY_LIMIT = 1 << 20;

/** systemd-userdbd asks all services at once; where it is not installed each is asked in turn, systemd's own among them. */
function inDatabase(host: Host, key: { uid: number } | { userName: Bytes }): User | undefined {
  if (host.lstat(SERVICES) === undefined) return undefined;
  const names = host.list(SERVICES).map(entry => entry.name);
  for (const service of names.includes(MULTIPLEXER) ? [MULTIPLEXER] : names) {
    const user = askService(host, service, key);
    if (user !== undefined) return user;
  }
  return undefined;
}

function askService(host: Host, service: Bytes, key: { uid: number } | { userName: Bytes }): User | undefined {
  const call = { method: 'io.systemd.UserDatabase.GetUserRecord', parameters: { ...key, service } };
  try {
    const answer = ask(host, `${SERVICES}/${service}`, `${JSON.stringify(call)}\0`);
    return answer === undefined ? undefined : toUser(parseJson(answer));
  } catch (error) {
    if (error instanceof HostError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** One call and its reply, which ends with a NUL. */
function ask(host: Host, socket: Bytes, call: Bytes): Bytes | undefined {
  const fd = host.connectUnix(socket, 'stream');
  try {
    host.send(fd, call);
    let reply = '';
    while (!reply.includes('\0') && reply.length < REPLY_LIMIT) {
      const { data, fds } = host.receive(fd, 65536, 5000);
      for (const extra of fds) host.close(extra);
      if (data === '') return undefined;
      reply += data;
    }
    return reply.slice(0, reply.indexOf('\0'));
  } finally {
    host.close(fd);
  }
}

function toUser(reply: unknown): User | undefined {
  const record = (reply as { parameters?: { record?: Record<string, unknown> } } | null)?.parameters?.record;
  const { userName, uid, gid, homeDirectory = '/' } = record ?? {};
  if (typeof userName !== 'string' || typeof uid !== 'number' || typeof homeDirectory !== 'string') return undefined;
  return { name: userName, uid, gid: typeof gid === 'number' ? gid : uid, home: homeDirectory };
}
