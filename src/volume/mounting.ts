import type { Host, Lock } from '../host/host.ts';
import { HostError } from '../host/host.ts';
import { isAlive, listContainers } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { layerPath, readNote, removeStored } from '../run/layer.ts';
import { storeMaps } from '../run/mapped-layers.ts';
import type { Backing } from './options.ts';
import { dataPath, isNew, readVolume, volumePath } from './record.ts';

/**
 * Volumes that stand on a file system of their own: root mounts it on `_data` when the first container needs it, and the last one to go
 * takes it away. Nobody counts: who uses a volume is read from the state of the containers. What a person mounted (`byHand`) stays until
 * a person unmounts it.
 */
export function mountVolume(
  host: Host,
  store: string,
  name: string,
  backing: Extract<Backing, { kind: 'mount' }>,
  byHand = false,
): void {
  const path = dataPath(store, name);
  const lock = requireLock(host, `${lockPath(store, name)}.mount`);
  try {
    if (byHand) host.writeFile(handPath(store, name), '', 0o600);
    if (isMounted(host, path)) return;
    // A note from before the last boot.
    if (!byHand) host.unlink(handPath(store, name));
    const type = backing.type === '' ? [] : ['-t', backing.type];
    const options = backing.words.length === 0 ? [] : ['-o', backing.words.join(',')];
    run(host, name, ['mount', ...type, ...options, '--', backing.device, path]);
  } finally {
    lock.release();
  }
}

/**
 * Unmounts when no container uses the volume and, except `byHand`, no person mounted it; `except` is the bundle that is just being removed.
 * True when nothing is mounted now.
 */
export function unmountVolume(
  host: Host,
  store: string,
  name: string,
  { except = '', byHand = false }: { readonly except?: string; readonly byHand?: boolean } = {},
): boolean {
  const path = dataPath(store, name);
  if (!isMounted(host, path)) return true;
  // A start that goes on holds it.
  const lock = lockVolume(host, store, name, true, false);
  if (lock === undefined) return false;
  try {
    if (usersOf(host, name, except).length > 0) return false;
    const hand = handPath(store, name);
    if (!byHand && host.lstat(hand) !== undefined) return false;
    run(host, name, ['umount', '--', path]);
    host.unlink(hand);
    return true;
  } finally {
    lock.release();
  }
}

/** Names of the containers whose bundle says that they use the volume. */
export function usersOf(host: Host, name: string, except = ''): string[] {
  return listContainers(host)
    .filter(({ bundle, state }) => bundle !== except && uses(state, name))
    .map(container => container.name);
}

/** A container that runs with the volume. */
export function livingUser(host: Host, name: string): string | undefined {
  const found = listContainers(host).find(
    ({ state }) => state !== undefined && uses(state, name) && isAlive(host, state),
  );
  return found?.name;
}

function uses(state: ReturnType<typeof listContainers>[number]['state'], name: string): boolean {
  return state !== undefined && ((state.volumes ?? []).includes(name) || state.anonymousVolumes.includes(name));
}

/**
 * Shared while a start goes from deciding on the volume to being listed as its user, exclusive while it is made, removed or
 * unmounted. undefined when `wait` is false and another holds it.
 */
export function lockVolume(
  host: Host,
  store: string,
  name: string,
  exclusive: boolean,
  wait: boolean,
): Lock | undefined {
  host.mkdirs(`${store}/locks`, 0o700);
  return host.lock(lockPath(store, name), exclusive, wait);
}

/**
 * What happens to an anonymous volume at the end of a container, the one with this bundle, unless another has it (--volumes-from). Mostly
 * nobody ever named its `own`, which the lock file tells.
 */
export function unlessUsed(
  host: Host,
  store: string,
  name: string,
  bundle: string,
  own: boolean,
  act: () => void,
): void {
  if (own && host.lstat(lockPath(store, name)) === undefined) return act();
  const lock = lockVolume(host, store, name, true, false);
  if (lock === undefined) return;
  try {
    if (usersOf(host, name, bundle).length > 0 || (!own && hasOwner(host, store, name))) return;
    act();
    removeVolumeLocks(host, store, name);
  } finally {
    lock.release();
  }
}

/** Its first container has it in its note, also when a power cut took the runtime directory. */
function hasOwner(host: Host, store: string, name: string): boolean {
  const layers = host.list(`${store}/containers`);
  return layers.some(one => readNote(host, layerPath(store, one.name))?.anonymousVolumes.includes(name) === true);
}

/** The lock of a start, which may release it twice; shared unless the volume is for one container at a time. */
export function holdVolume(host: Host, store: string, name: string, alone = false): Lock | undefined {
  let lock = lockVolume(host, store, name, alone, true);
  const release = (): void => {
    lock?.release();
    lock = undefined;
  };
  return lock === undefined ? undefined : { release };
}

/** Of a start that failed: another that came after it may have the volume by now, or have had it and left its data. */
export function takeBack(host: Host, store: string, name: string, own?: Lock): void {
  own?.release();
  const lock = lockVolume(host, store, name, true, false);
  if (lock === undefined) return;
  try {
    const record = readVolume(host, store, name);
    if (record !== undefined && isNew(record) && usersOf(host, name).length === 0) removeMade(host, store, name);
  } finally {
    lock.release();
  }
}

/** What was copied into it has the container's ids. */
export function removeMade(host: Host, store: string, name: string): void {
  const { uidMap, gidMap } = storeMaps(host);
  removeStored(host, store, volumePath(store, name), uidMap, gidMap);
}

/** By who holds it exclusively and has removed the volume. */
export function removeVolumeLocks(host: Host, store: string, name: string): void {
  host.unlink(handPath(store, name));
  host.unlink(`${lockPath(store, name)}.mount`);
  host.unlink(lockPath(store, name));
}

const lockPath = (store: string, name: string): string => `${store}/locks/volume-${name}`;
/** There while a person has the volume mounted. No volume's name has a colon. */
const handPath = (store: string, name: string): string => `${lockPath(store, name)}:hand`;

function requireLock(host: Host, path: string): Lock {
  const lock = host.lock(path, true, true);
  if (lock === undefined) throw new Error(`${path}: not locked`);
  return lock;
}

/** proc_pid_mountinfo(5): the fifth field is the mount point, with blanks and the like in octal. */
export function isMounted(host: Host, path: string): boolean {
  const real = host.realpath(path) ?? path;
  const text = host.readFileIfExists('/proc/self/mountinfo') ?? '';
  return text.split('\n').some(line => unescape(line.split(' ')[4] ?? '') === real);
}

const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_whole, digits: string) => String.fromCharCode(parseInt(digits, 8)));

function run(host: Host, name: string, argv: string[]): void {
  let ran;
  try {
    ran = host.run({ argv, environment: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], stdout: 'capture', stderr: 'capture' });
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new Failure(
      125,
      `volume ${name}: ${argv[0] ?? ''} cannot be run: ${error.message}; install the package mount`,
    );
  }
  if (ran.status === 0) return;
  const said =
    ran.stderr
      .trim()
      .split('\n')
      .find(line => line !== '') ?? `${argv[0] ?? ''} failed`;
  throw new Failure(125, `volume ${name}: ${said}`);
}
