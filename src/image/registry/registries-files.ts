import type { Host } from '../../host/host.ts';
import { homeOf } from '../store.ts';

/** The main file, then the others in the order in which they count. */
export function registriesFiles(host: Host): string[] {
  const own = configDirectory(host);
  const named = host.environment('CONTAINERS_REGISTRIES_CONF') ?? '';
  const candidates = [...(own === undefined ? [] : [`${own}/registries.conf`]), '/etc/containers/registries.conf'];
  const file =
    named !== '' ? named : (candidates.find(path => host.access(path, 4)) ?? '/etc/containers/registries.conf');
  const directories = ['/etc/containers/registries.conf.d', ...(own === undefined ? [] : [`${own}/registries.conf.d`])];
  return [file, ...directories.flatMap(directory => dropIns(host, directory)), ...recorded(host)];
}

/** `$XDG_CONFIG_HOME/containers`, or the one below the home. */
export function configDirectory(host: Host): string | undefined {
  const config = host.environment('XDG_CONFIG_HOME');
  if (config?.startsWith('/') === true) return `${config}/containers`;
  const home = homeOf(host);
  return home.startsWith('/') ? `${home}/.config/containers` : undefined;
}

function dropIns(host: Host, directory: string): string[] {
  if (host.stat(directory)?.kind !== 'directory') return [];
  return host
    .list(directory)
    .filter(entry => entry.name.endsWith('.conf'))
    .map(entry => `${directory}/${entry.name}`);
}

/** What Podman noted when a person chose the registry of a short name. */
function recorded(host: Host): string[] {
  const home = homeOf(host);
  const own = host.environment('XDG_CACHE_HOME') ?? (home === '' ? '' : `${home}/.cache`);
  const cache = host.euid === 0 ? '/var/cache' : own;
  return cache.startsWith('/') ? [`${cache}/containers/short-name-aliases.conf`] : [];
}
