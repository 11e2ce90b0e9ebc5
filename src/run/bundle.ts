import type { Host } from '../host/host.ts';
import type { Plan } from '../plan/types.ts';
import { runtimeDirectories } from './directories.ts';
import type { Undo } from './undo.ts';

/** What is in a bundle besides config.json from the beginning; the network adds hosts and resolv.conf. */
export interface BundleContent {
  /** Text of config.json (plan/spec-text.ts). */
  readonly config: string;
  /** Text of /run/.containerenv. */
  readonly marker: string;
  readonly files: Plan['files'];
}

/** The name of a bundle in the making: with its leading dot no container's name. */
function halfMade(name: string): string {
  return `.${name}.new`;
}

/** What a start that was killed while it wrote its bundle has left; to be removed under the name's lock. */
export function findHalfMade(host: Host, name: string): string[] {
  return runtimeDirectories(host)
    .map(directory => `${directory}/containers/${halfMade(name)}`)
    .filter(path => host.lstat(path) !== undefined);
}

/**
 * Writes the bundle under a temporary name and renames it, so that a bundle is whole or not there. That of a container that is started again
 * is there, and stays.
 */
export function makeBundle(host: Host, runtime: string, name: string, content: BundleContent, undo: Undo): string {
  const containers = `${runtime}/containers`;
  const bundle = `${containers}/${name}`;
  const temporary = `${containers}/${halfMade(name)}`;
  if (host.lstat(bundle) !== undefined) {
    host.writeFileAtomic(`${bundle}/config.json`, content.config, 0o600);
    writeContent(host, bundle, content);
    return bundle;
  }
  host.mkdir(containers, 0o700);
  host.removeTree(temporary);
  host.mkdir(temporary, 0o700);
  undo.add(temporary, () => host.removeTree(temporary));
  host.writeFile(`${temporary}/config.json`, content.config, 0o600);
  writeContent(host, temporary, content);
  host.rename(temporary, bundle);
  undo.add(bundle, () => host.removeTree(bundle));
  return bundle;
}

function writeContent(host: Host, directory: string, content: BundleContent): void {
  host.writeFile(`${directory}/containerenv`, content.marker, 0o644);
  for (const { name: file, text, mode = 0o644 } of content.files) {
    host.writeFile(`${directory}/${file}`, text, mode & 0o600);
    if (mode !== (mode & 0o600)) host.chmod(`${directory}/${file}`, mode);
  }
}
