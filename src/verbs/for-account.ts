import type { Command } from '../command/types.ts';
import type { Bytes, Host } from '../host/host.ts';
import { findUser, type User } from '../host/users.ts';
import { Failure } from '../run/failure.ts';

/** `berth [--for ACCOUNT] VERB …`: the exit status of the verb as that account; undefined: nobody else is meant. */
export function forAccount(host: Host, command: Command): number | undefined {
  const word = command.globals.findLast(use => use.name === 'for')?.value;
  return word === undefined ? undefined : becomeAccount(host, word);
}

/**
 * Root runs the same words without the option as the account, by setpriv(1), with that account's places and nothing else of root's
 * environment: its containers, files and bus are its own, and what root reads or writes in its place a link there could lead elsewhere
 * (T16). In a session of its own: the account may trace it, and must not type at root's terminal (T28). The exit status of that;
 * undefined: the caller is the account.
 */
export function becomeAccount(host: Host, word: Bytes): number | undefined {
  const user = findUser(host, word);
  if (user === undefined) throw new Failure(125, `--for ${word}: there is no such account`);
  if (host.uid === user.uid) return undefined;
  if (host.uid !== 0) throw new Failure(125, `--for ${word}: only root may act for another account`);
  const { argv } = host;
  const at = argv.findIndex((one, i) => one === `--for=${word}` || (one === '--for' && argv[i + 1] === word));
  const rest = argv.slice(argv[at] === '--for' ? at + 2 : at + 1);
  const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups', '--pdeathsig=KILL'];
  const words = ['setpriv', ...ids, '--', '/usr/bin/berth', ...argv.slice(1, at), ...rest];
  return host.exec(words, placesOf(host, user), true);
}

function placesOf(host: Host, user: User): Bytes[] {
  const kept = ['PATH', 'LANG', 'TERM'].flatMap(name => {
    const value = host.environment(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const runtime = `/run/user/${user.uid}`;
  const places = [`HOME=${user.home}`, `USER=${user.name}`];
  return [...kept, ...places, ...(host.lstat(runtime) === undefined ? [] : [`XDG_RUNTIME_DIR=${runtime}`])];
}
