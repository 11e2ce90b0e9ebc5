import { SYSTEM_TAKEOVER } from '../command/options-admin.ts';
import { isSet } from '../command/read.ts';
import type { Bytes, Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { commandLine } from './command-line.ts';
import { unknownVerb } from './first-verb.ts';
import { reloadSystemd } from './quadlet-units.ts';

/** The peer's generators, as links in /etc hide them. */
const LINKS: readonly Bytes[] = [
  '/etc/systemd/system-generators/podman-system-generator',
  '/etc/systemd/user-generators/podman-user-generator',
];

/** `berth system WORD`. */
export async function main(host: Host): Promise<number> {
  switch (host.argv[host.argv.indexOf('system') + 1]) {
    case 'check':
      return (await import('./system-check.ts')).main(host);
    case 'df':
      return (await import('./system-df.ts')).main(host);
    case 'migrate':
      return (await import('./system-migrate.ts')).main(host);
    case 'migrate-layer':
      return (await import('./system-migrate.ts')).streamLayer(host);
    case 'prune':
      return (await import('./system-prune.ts')).main(host);
    case 'doctor':
      return (await import('./doctor.ts')).main(host);
    case 'takeover':
      return takeover(host);
    default:
      throw new Failure(125, unknownVerb(host.argv.slice(1)));
  }
}

/** `berth system takeover [--undo]`: one generator for the unit files, ours or the peer's. */
function takeover(host: Host): number {
  const command = commandLine(host, SYSTEM_TAKEOVER);
  if (typeof command === 'number') return command;
  if (host.uid !== 0) {
    host.write(2, 'berth: system takeover: only root can link files in /etc/systemd\n');
    return 125;
  }
  const act = isSet(command, 'undo') ? unhide : hide;
  const done = LINKS.map(path => act(host, path)).every(Boolean);
  const reloaded = !isSet(command, 'reload-systemd', true) || reloadSystemd(host);
  return done && reloaded ? 0 : 125;
}

function isLink(host: Host, path: Bytes): boolean {
  return host.lstat(path)?.kind === 'symlink' && host.readlink(path) === '/dev/null';
}

/** A file that an administrator put there is not ours to replace. */
function hide(host: Host, path: Bytes): boolean {
  if (isLink(host, path)) return true;
  if (host.lstat(path) !== undefined) {
    host.write(2, `berth: system takeover: ${path} exists and is no link to /dev/null; move it away\n`);
    return false;
  }
  host.mkdirs(path.slice(0, path.lastIndexOf('/')), 0o755);
  host.symlink('/dev/null', path);
  return true;
}

function unhide(host: Host, path: Bytes): boolean {
  if (isLink(host, path)) host.unlink(path);
  return true;
}
