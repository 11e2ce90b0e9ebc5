import { HostError, type Host } from '../host/host.ts';
import type { Plan } from '../plan/types.ts';
import { temporaryPath } from './layer.ts';
import { outside } from './streams.ts';

/**
 * The files that are mounted into nearly every container and that most images lack. Made in the writable layer, each would cost a start
 * and a removal several changes of the disk; so they lie ready, below all layers of the image, which therefore win wherever they have
 * something themselves. What is hidden there (a whiteout of the image) is made by the stage as before.
 */
const FILES: Readonly<Record<string, string>> = {
  hosts: 'etc/hosts',
  hostname: 'etc/hostname',
  'resolv.conf': 'etc/resolv.conf',
  containerenv: 'run/.containerenv',
};

/** The plan with a layer of exactly the files that it mounts, `path`; undefined where there is no use for one. */
export function withMountPoints(
  host: Host,
  store: string,
  plan: Plan,
): { readonly plan: Plan; readonly path: string } | undefined {
  const { root, spec } = plan;
  // Under another map these files would belong to nobody inside.
  if (root.kind !== 'overlay' || plan.outer !== undefined || outside(spec.linux.uidMappings, 0) !== host.euid)
    return undefined;
  const mounts = spec.mounts ?? [];
  const targets = mounts.filter(mount => mount.type === 'bind').map(mount => mount.destination);
  // What is mounted over the directory holds the file itself, and a tmpfs takes its mode from the directory below.
  const covered = (directory: string): boolean => mounts.some(mount => mount.destination === directory);
  const names = Object.keys(FILES).filter(name => {
    const target = `/${FILES[name] ?? ''}`;
    return targets.includes(target) && !covered(target.slice(0, target.lastIndexOf('/')));
  });
  if (names.length === 0) return undefined;
  const path = `${store}/mount-points/${names.join('+')}`;
  return { plan: { ...plan, root: { ...root, lower: [...root.lower, path] } }, path };
}

/** Makes the layer of `withMountPoints` where it is not there yet; it appears by a rename. */
export function makeMountPoints(host: Host, store: string, path: string): void {
  if (host.stat(path) !== undefined) return;
  const temporary = temporaryPath(host, store);
  const directory = (one: string): void => {
    host.mkdir(one, 0o755);
    host.chmod(one, 0o755);
  };
  host.mkdirs(`${store}/mount-points`, 0o700);
  directory(temporary);
  for (const name of path.slice(path.lastIndexOf('/') + 1).split('+')) {
    const file = `${temporary}/${FILES[name] ?? ''}`;
    const parent = file.slice(0, file.lastIndexOf('/'));
    if (host.stat(parent) === undefined) directory(parent);
    host.writeFile(file, '', 0o644);
    host.chmod(file, 0o644);
  }
  try {
    host.rename(temporary, path);
  } catch (error) {
    host.removeTree(temporary);
    // Another start was faster.
    if (!(error instanceof HostError) || host.stat(path) === undefined) throw error;
  }
}
