import type { Host } from '../host/host.ts';
import type { Spec } from '../plan/spec.ts';
import type { Undo } from './undo.ts';

/** Writes the bundle under a temporary name and renames it, so that a bundle is whole or not there. */
export function makeBundle(host: Host, runtime: string, name: string, spec: Spec, undo: Undo): string {
  const containers = `${runtime}/containers`;
  const bundle = `${containers}/${name}`;
  // A leading dot is no container name.
  const temporary = `${containers}/.${name}.new`;
  host.mkdir(containers, 0o700);
  host.removeTree(temporary);
  host.mkdir(temporary, 0o700);
  undo.add(temporary, () => host.removeTree(temporary));
  host.writeFile(`${temporary}/config.json`, JSON.stringify(spec), 0o600);
  host.rename(temporary, bundle);
  undo.add(bundle, () => host.removeTree(bundle));
  return bundle;
}
