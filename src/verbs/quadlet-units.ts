import type { Bytes, Host } from '../host/host.ts';
import { loadUnits } from '../quadlet/find.ts';
import type { Unit } from '../quadlet/model.ts';
import { isServiceStem } from '../unit/names.ts';
import { search, searchDirectories, type FoundUnit } from '../unit/search.ts';

/** Where `berth quadlet install` puts files: /etc for root, the own configuration otherwise. */
export function installDirectory(host: Host): Bytes {
  if (host.uid === 0) return '/etc/containers/systemd';
  const config = host.environment('XDG_CONFIG_HOME') ?? '';
  return `${config === '' ? `${host.environment('HOME') ?? ''}/.config` : config}/containers/systemd`;
}

/** A directory as the search calls what is in it, also before it is made. */
export function realDirectory(host: Host, directory: Bytes): Bytes {
  const real = host.realpath(directory);
  const slash = directory.lastIndexOf('/');
  if (real !== undefined || slash < 1 || host.lstat(directory) !== undefined) return real ?? directory;
  return realDirectory(host, directory.slice(0, slash)) + directory.slice(slash);
}

/** All unit files, in search order, hidden ones included, with what could be read of them. */
export function allUnits(host: Host): { found: FoundUnit; unit: Unit }[] {
  const user = host.uid !== 0;
  const found = search(host, searchDirectories(host, user), user);
  const all = [...found.units, ...found.hidden].filter(one => !one.masked);
  const units = loadUnits(host, { ...found, units: all });
  return all.flatMap((one, i) => {
    const unit = units[i];
    return unit === undefined ? [] : [{ found: one, unit }];
  });
}

function systemctl(host: Host, words: readonly Bytes[]): { status: number; stdout: Bytes; stderr: Bytes } {
  const manager = host.uid === 0 ? [] : ['--user'];
  const done = host.run({
    argv: ['systemctl', ...manager, ...words],
    environment: host.environmentList(),
    stdout: 'capture',
    stderr: 'capture',
  });
  return { status: done.status ?? 1, stdout: done.stdout, stderr: done.stderr };
}

/**
 * `ActiveState/SubState` of services; `Not loaded` for those that systemd does not know, and for templates, which have none. undefined: it could not
 * be asked, for the reason that stands on standard error.
 */
export function states(host: Host, services: readonly Bytes[]): string[] | undefined {
  // At what is no name of a unit, and at a template, `show` ends, and what comes behind it is not shown.
  const asked = services.filter(name => name.endsWith('.service') && isServiceStem(name.slice(0, -8)) && !isOpen(name));
  const known = new Map<Bytes, string>();
  // A command line has a limit.
  for (let from = 0; from < asked.length; from += MOST) {
    const { status, stdout, stderr } = systemctl(host, [
      'show',
      ...PROPERTIES,
      '--',
      ...asked.slice(from, from + MOST),
    ]);
    if (status !== 0) {
      host.write(2, stderr === '' ? 'berth: systemctl show failed\n' : stderr);
      return undefined;
    }
    for (const block of stdout.split('\n\n')) {
      const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(block)?.[1] ?? '';
      if (value('LoadState') === 'not-found') continue;
      for (const name of [value('Id'), ...value('Names').split(' ')])
        known.set(name, `${value('ActiveState')}/${value('SubState')}`);
    }
  }
  return services.map(name => known.get(name) ?? 'Not loaded');
}

const PROPERTIES = ['Id', 'Names', 'LoadState', 'ActiveState', 'SubState'].flatMap(key => ['-p', key]);
const MOST = 1000;

/** A template, of which only instances run. */
function isOpen(name: Bytes): boolean {
  return name.endsWith('@.service');
}

/** Services that systemd has loaded of a template; `stem` ends in `@`. undefined: it could not be asked. */
export function instances(host: Host, stem: Bytes): Bytes[] | undefined {
  const pattern = `${stem.replace(/[\\*?[]/g, '\\$&')}*.service`;
  const { status, stdout, stderr } = systemctl(host, ['list-units', '--all', '--plain', '--no-legend', '--', pattern]);
  if (status !== 0) {
    host.write(2, stderr === '' ? 'berth: systemctl list-units failed\n' : stderr);
    return undefined;
  }
  return stdout.split('\n').flatMap(line => /^\S+\.service(?= )/.exec(line.trimStart())?.[0] ?? []);
}

/** Stops a service and waits; false, with the reason on standard error, when that failed. */
export function stopService(host: Host, service: Bytes): boolean {
  const { status, stderr } = systemctl(host, ['stop', '--', service]);
  if (status !== 0) host.write(2, stderr);
  return status === 0;
}

/** `systemctl daemon-reload`; false, with the reason on standard error, when that failed. */
export function reloadSystemd(host: Host): boolean {
  const { status, stderr } = systemctl(host, ['daemon-reload']);
  if (status !== 0) host.write(2, stderr === '' ? 'berth: systemctl daemon-reload failed\n' : stderr);
  return status === 0;
}

/** Application files `.NAME.app` of a directory, with the names they list. */
export function applications(host: Host, directory: Bytes): { file: Bytes; names: Bytes[] }[] {
  if (host.stat(directory)?.kind !== 'directory') return [];
  const files = host.list(directory).filter(one => one.kind === 'file' && /^\..+\.app$/.test(one.name));
  return files.map(({ name }) => ({
    file: name,
    names: host.readFile(`${directory}/${name}`).split('\n').filter(isName),
  }));
}

/** A line of an application file is a name in the directory, never a path. */
function isName(name: Bytes): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/');
}
