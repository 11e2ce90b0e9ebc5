import { isSet } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import { HostError, type Bytes, type Host } from '../host/host.ts';
import { printable } from './command-line.ts';
import {
  allUnits,
  applications,
  installDirectory,
  instances,
  realDirectory,
  reloadSystemd,
  states,
  stopService,
} from './quadlet-units.ts';

/** `berth quadlet rm`: unit files, or the whole application that one of them belongs to. Containers, volumes and images stay. */
export function removeUnits(host: Host, command: Command | number): number {
  if (typeof command === 'number') return command;
  const directory = realDirectory(host, installDirectory(host));
  const apps = applications(host, directory);
  const units = allUnits(host);
  const names = isSet(command, 'all') ? units.map(({ found }) => found.name) : command.operands;
  if (names.length === 0 && !isSet(command, 'all')) {
    host.write(2, 'berth: quadlet rm: name a unit file, or use --all\n');
    return 125;
  }
  const errors: string[] = [];
  const doomed = new Map<Bytes, Bytes>();
  for (const name of names) {
    const app = apps.find(one => one.file === name || one.names.includes(name));
    if (app !== undefined) {
      for (const member of [...app.names, app.file]) doomed.set(`${directory}/${member}`, member);
      continue;
    }
    const unit = units.find(({ found }) => found.name === name);
    if (unit !== undefined) doomed.set(unit.found.path, name);
    else if (!isSet(command, 'ignore')) errors.push(`${name}: no such unit file or application`);
  }
  const active = activeServices(host, units, doomed);
  if (active === undefined) {
    host.write(2, 'berth: quadlet rm: nothing was removed, since systemd does not say what is active\n');
    return 125;
  }
  const stopped = active.every(({ service, name }) => {
    if (isSet(command, 'force')) return stopService(host, service);
    errors.push(`${name}: ${service} is active; stop it, or use --force`);
    return false;
  });
  if (stopped) for (const [path, name] of doomed) if (removed(host, path, errors)) host.write(1, `${name}\n`);
  const reloaded = !isSet(command, 'reload-systemd', true) || reloadSystemd(host);
  for (const text of errors) host.write(2, `berth: quadlet rm: ${printable(text)}\n`);
  return errors.length === 0 && stopped && reloaded ? 0 : 125;
}

/** One that cannot be removed does not keep the others, nor the reload. */
function removed(host: Host, path: Bytes, errors: string[]): boolean {
  try {
    if (host.lstat(path)?.kind !== 'directory') return host.unlink(path);
    errors.push(`${path}: is a directory, which nothing here has made; remove it yourself`);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    errors.push(error.message);
  }
  return false;
}

/** undefined: systemd does not say it, for a reason that stands on standard error. */
function activeServices(
  host: Host,
  units: ReturnType<typeof allUnits>,
  doomed: Map<Bytes, Bytes>,
): { service: Bytes; name: Bytes }[] | undefined {
  const known: { service: Bytes; name: Bytes }[] = [];
  for (const { found, unit } of units) {
    if (!doomed.has(found.path)) continue;
    const services = unit.stem.endsWith('@') ? instances(host, unit.stem) : [`${unit.stem}.service`];
    if (services === undefined) return undefined;
    known.push(...services.map(service => ({ service, name: found.name })));
  }
  const live = states(
    host,
    known.map(one => one.service),
  );
  if (live === undefined) return undefined;
  return known.filter((_, i) => /^(active|activating|reloading|refreshing|deactivating)\//.test(live[i] ?? ''));
}
