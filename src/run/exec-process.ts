import { HostError, type Host } from '../host/host.ts';
import { findGroup, findUser } from '../plan/user.ts';
import { readId } from '../plan/parse-values.ts';
import { SECRET_ENVIRONMENT } from '../plan/secrets.ts';
import type { SpecProcess } from '../plan/spec.ts';
import { Failure } from './failure.ts';

/** What `berth exec` asks for; what it leaves out is the payload's own. */
export interface ExecWish {
  readonly command: readonly string[];
  readonly environment: readonly string[];
  readonly workdir?: string;
  /** `USER[:GROUP]`. */
  readonly user?: string;
  readonly tty: boolean;
}

/**
 * The process of an exec, from the payload's: ops/exec.ts decides on its confinement. `payload`: a process in the container, or the path of
 * the container's root.
 */
export function execProcess(host: Host, payload: number | string, base: SpecProcess, wish: ExecWish): SpecProcess {
  const env = mergeEnvironment(base.env, wish.environment);
  if (wish.tty && !env.some(one => one.startsWith('TERM='))) env.push('TERM=xterm');
  const process: SpecProcess = {
    ...base,
    terminal: wish.tty,
    args: [...wish.command],
    env,
    cwd: wish.workdir ?? base.cwd,
  };
  if (wish.user === undefined) return process;
  const found = userOf(host, payload, wish.user);
  return {
    ...process,
    user: { ...base.user, uid: found.uid, gid: found.gid, additionalGids: [...found.groups] },
    env: mergeEnvironment(env, wish.environment.some(one => one.startsWith('HOME=')) ? [] : [`HOME=${found.home}`]),
  };
}

/** The payload's process with the secrets that it has as variables, which config.json leaves out. */
export function withSecrets(host: Host, bundle: string, process: SpecProcess): SpecProcess {
  const secrets = host.readFileIfExists(`${bundle}/${SECRET_ENVIRONMENT}`);
  return secrets === undefined ? process : { ...process, env: mergeEnvironment(process.env, secrets.split('\0')) };
}

/** Later values win; the place of the first one stays. */
function mergeEnvironment(base: readonly string[], more: readonly string[]): string[] {
  const merged = new Map<string, string>();
  for (const pair of [...base, ...more]) merged.set(pair.slice(0, Math.max(0, pair.indexOf('='))), pair);
  return [...merged.values()];
}

/** The container's own /etc/passwd and /etc/group, read below its root and never through a link out of it (T16). */
function userOf(
  host: Host,
  payload: number | string,
  user: string,
): { uid: number; gid: number; groups: readonly number[]; home: string } {
  const read = (path: string): string => {
    try {
      const root = typeof payload === 'string' ? payload : `/proc/${payload}/root`;
      const found = host.readFileInRoot(root, path, 1 << 20);
      return typeof found === 'string' ? '' : found.data;
    } catch (error) {
      if (error instanceof HostError) return '';
      throw error;
    }
  };
  const passwd = read('/etc/passwd');
  const group = read('/etc/group');
  const [name = '', groupText] = user.split(':', 2);
  const entry = findUser(passwd, name);
  const uid = entry?.uid ?? readId(name);
  if (uid === undefined) throw new Failure(126, `--user ${user}: there is no such user in the container's /etc/passwd`);
  const gid = groupText === undefined ? (entry?.gid ?? 0) : findGroup(group, groupText);
  if (gid === undefined) throw new Failure(126, `--user ${user}: there is no such group in the container's /etc/group`);
  const groups = groupText === undefined && entry !== undefined ? groupsOf(group, entry.name) : [];
  return { uid, gid, groups: [gid, ...groups.filter(one => one !== gid)], home: entry?.home ?? '/' };
}

/** Groups of /etc/group that list the user. */
function groupsOf(group: string, user: string): number[] {
  return group
    .split('\n')
    .map(line => line.split(':'))
    .filter(parts => (parts[3] ?? '').split(',').includes(user))
    .map(parts => readId(parts[2] ?? ''))
    .filter(gid => gid !== undefined);
}
