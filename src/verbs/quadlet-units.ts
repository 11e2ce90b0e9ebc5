import type { Bytes, Host } from '../host/host.ts';
import { loadUnits } from '../quadlet/find.ts';
import type { Unit } from '../quadlet/model.ts';
import { search, searchDirectories, type FoundUnit } from '../unit/search.ts';

/** Where `berth quadlet install` puts files: /etc for root, the own configuration otherwise. */
export function installDirectory(host: Host): Bytes {
  if (host.uid === 0) return '/etc/containers/systemd';
  const config = host.environment('XDG_CONFIG_HOME') ?? '';
  return `${config === '' ? `${host.environment('HOME') ?? ''}/.config` : config}/containers/systemd`;
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

/** `ActiveState/SubState` of services; `Not loaded` for those that systemd does not know. */
export function states(host: Host, services: readonly Bytes[]): string[] {
  if (services.length === 0) return [];
  const { stdout } = systemctl(host, [
    'show',
    '-p',
    'LoadState',
    '-p',
    'ActiveState',
    '-p',
    'SubState',
    '--',
    ...services,
  ]);
  const blocks = stdout.split('\n\n');
  return services.map((_, i) => {
    const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(blocks[i] ?? '')?.[1] ?? '';
    const load = value('LoadState');
    return load === '' || load === 'not-found' ? 'Not loaded' : `${value('ActiveState')}/${value('SubState')}`;
  });
}

/** Services that systemd has loaded of a template; `stem` ends in `@`. */
export function instances(host: Host, stem: Bytes): Bytes[] {
  const pattern = `${stem.replace(/[\\*?[]/g, '\\$&')}*.service`;
  const { stdout } = systemctl(host, ['list-units', '--all', '--plain', '--no-legend', '--', pattern]);
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
