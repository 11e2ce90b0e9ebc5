import { refuse, type PlanContext } from './context.ts';
import { expandWord } from './expand-word.ts';
import type { UserPlan } from './user.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Where the relay's notification socket is inside. */
export const NOTIFY_TARGET = '/run/notify/notify.sock';

/**
 * The whole environment of the payload: our defaults, the image's, the proxy variables, then the request's; what is unset is taken
 * from the defaults and the image alone, and HOME and HOSTNAME are there all the same, as in Podman. Nothing of ours passes otherwise.
 */
export function planEnvironment(context: PlanContext, user: UserPlan, hostname: string, systemd: boolean): string[] {
  const { request, facts, image } = context;
  const env = new Map<string, string>([
    ['PATH', PATH],
    ['container', 'berth'],
  ]);
  if (request.tty) env.set('TERM', 'xterm');
  if (systemd) env.set('container_uuid', uuidOf(request.name));
  put(env, image?.environment ?? []);
  for (const pair of request.environmentMerge) merge(context, env, pair);
  for (const name of request.unsetEnvironment) {
    if (name === '*') env.clear();
    else env.delete(name);
  }
  env.set('HOME', env.get('HOME') ?? user.home);
  env.set('HOSTNAME', env.get('HOSTNAME') ?? hostname);
  if (request.httpProxy) put(env, facts.proxyEnvironment);
  put(env, request.environment);
  if (facts.notifySocket) {
    env.set('NOTIFY_SOCKET', NOTIFY_TARGET);
    // Without WATCHDOG_PID it is meant for whoever reads it (sd_watchdog_enabled(3)): the pid inside is another one.
    if (facts.watchdog !== undefined && request.sdnotify === 'container') env.set('WATCHDOG_USEC', facts.watchdog);
  }
  if (facts.listen.count > 0) {
    env.set('LISTEN_FDS', String(facts.listen.count));
    // The stage puts the payload's own pid there.
    env.set('LISTEN_PID', '1');
    if (facts.listen.names !== '') env.set('LISTEN_FDNAMES', facts.listen.names);
  }
  const out: string[] = [];
  for (const [name, value] of env) out.push(`${name}=${value}`);
  const wrong = out.find(entry => entry.includes('\0'));
  if (wrong !== undefined) refuse(context, '--env', `the variable ${wrong.split('=')[0] ?? ''} holds a NUL byte`);
  return out;
}

/** `--env-merge NAME=VALUE`: may name what was merged before it. */
function merge(context: PlanContext, env: Map<string, string>, pair: string): void {
  const filled = expandWord(pair, name => env.get(name) ?? '');
  if (filled === undefined)
    refuse(
      context,
      '--env-merge',
      `--env-merge ${pair}: a quote or brace is open, or the substitution is none`,
      'write $NAME, ${NAME}, ${NAME:-WORD} or ${NAME:+WORD}',
    );
  else put(env, [filled]);
}

function put(env: Map<string, string>, entries: readonly string[]): void {
  for (const entry of entries) {
    const at = entry.indexOf('=');
    if (at > 0) env.set(entry.slice(0, at), entry.slice(at + 1));
  }
}

/** 32 hexadecimal digits that are the same at each start of a container of this name (systemd keeps its machine id). */
function uuidOf(name: string): string {
  let out = '';
  for (let round = 0; round < 4; round++) out += (hash(`${round}${name}`) >>> 0).toString(16).padStart(8, '0');
  return out;
}

/** FNV-1a, 32 bit. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}
