import { ACCOUNT } from '../command/options-admin.ts';
import { lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { findUser, type User } from '../host/users.ts';
import { ImageError } from '../image/error.ts';
import { handOver } from './account-image.ts';
import { verb } from './edge.ts';

/**
 * `berth account prepare ACCOUNT [--image REF]`, as root: what an account cannot make itself. Units with User= run it by
 * ExecStartPre=+, so doing it again is cheap and changes nothing.
 */
export const main: (host: Host) => number = verb(ACCOUNT, (host, command) => {
  const [action = '', word = ''] = command.operands;
  if (action !== 'prepare') throw new ImageError(`account ${action}: there is only 'berth account prepare ACCOUNT'`);
  if (host.euid !== 0) throw new ImageError('account prepare: only root can do this');
  const user = findUser(host, word);
  if (user === undefined) throw new ImageError(`${word}: no such account`);
  if (user.uid === 0) return 0;
  // Ids of DynamicUser= go from one service to the next: nothing may be kept under their number. systemd makes their directories.
  if (!isDynamic(user.uid)) {
    makeOwn(host, '/run/berth', user);
    if (!hasHome(host, user)) makeOwn(host, '/var/lib/berth', user);
  }
  const image = lastValue(command, 'image');
  if (image !== undefined) handOver(host, user, image);
  return 0;
});

function isDynamic(uid: number): boolean {
  return uid >= 61184 && uid <= 65519;
}

/** The same rule as in image/store.ts, from outside. */
function hasHome(host: Host, user: User): boolean {
  if (!user.home.startsWith('/') || user.home === '/') return false;
  const stat = host.stat(user.home);
  // Root may write anywhere but on a read-only file system.
  return stat?.kind === 'directory' && stat.uid === user.uid && (stat.mode & 0o200) !== 0 && host.access(user.home, 2);
}

/** BASE/users/UID, 0700 and the account's. All above it is root's alone, so nobody can plant a link on the way. */
function makeOwn(host: Host, base: string, user: User): void {
  for (const path of [base, `${base}/users`]) {
    host.mkdirs(path, 0o711);
    const stat = host.lstat(path);
    if (stat?.kind !== 'directory' || stat.uid !== 0 || (stat.mode & 0o022) !== 0) {
      throw new ImageError(`${path}: not a directory that only root can write to`);
    }
    // An account passes through to its own directory and lists nothing.
    if (stat.mode !== 0o711) host.chmod(path, 0o711);
  }
  const own = `${base}/users/${user.uid}`;
  if (host.mkdir(own, 0o700)) host.chown(own, user.uid, user.gid);
  const stat = host.lstat(own);
  // Root's: an earlier preparation was cut off between the two calls.
  if (stat?.kind === 'directory' && stat.uid === 0) host.chown(own, user.uid, user.gid);
  else if (stat?.kind !== 'directory' || stat.uid !== user.uid) {
    throw new ImageError(`${own}: belongs to uid ${stat?.uid ?? '?'}, not to ${user.name}; move it away`);
  }
}
