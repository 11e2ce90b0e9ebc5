import type { Host } from '../../host/host.ts';
import { formatReference, localReference, parseReference, type Reference } from '../reference.ts';
import { registriesFiles } from './registries-files.ts';

/**
 * What registries.conf and its drop-ins say that a short name means: none or one. Line by line, as people and distributions write
 * [aliases]: a start has no reader of TOML. What is wrong there is told when a registry is asked.
 */
export function aliasesOf(host: Host, { registry, path, ...rest }: Reference): string[] {
  if (registry !== '') return [];
  const files = registriesFiles(host).map(file => host.readFileIfExists(file, 4 << 20) ?? '');
  const said = files.map(text => aliasIn(text, path)).findLast(alias => alias !== undefined);
  const target = parseReference(said ?? '');
  if (target === undefined || target.registry === '') return [];
  return [formatReference(localReference({ ...rest, registry: target.registry, path: target.path }))];
}

function aliasIn(text: string, path: string): string | undefined {
  let found: string | undefined;
  let inside = false;
  for (const line of text.split('\n')) {
    const table = /^\s*\[+\s*([^\]]*?)\s*\]/.exec(line)?.[1];
    if (table !== undefined) inside = table === 'aliases';
    const [, , name, , value] = /^\s*(["']?)([^"'=\s]+)\1\s*=\s*(["'])([^"']*)\3/.exec(line) ?? [];
    if (inside && name === path) found = value;
  }
  return found;
}
