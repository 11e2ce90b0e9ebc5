import type { Host } from '../../host/host.ts';
import { authFilePath, authFiles, objectAt, readAuthFile, type AuthFile } from './auth-file.ts';
import { eraseWithHelper, storeWithHelper } from './credential-helper.ts';
import { RegistryError } from './error.ts';

/** Keeps credentials in the file, or in the helper that the file names for the registry. Returns the file. */
export function keepCredentials(
  host: Host,
  named: string | undefined,
  key: string,
  user: string,
  password: string,
): string {
  const path = authFilePath(host, named);
  return alone(host, path, () => keepIn(host, path, key, user, password));
}

function keepIn(host: Host, path: string, key: string, user: string, password: string): string {
  const file = readAuthFile(host, path) ?? { path, document: {} };
  const helper = objectAt(file, 'credHelpers')[key];
  if (typeof helper === 'string' && helper !== '') {
    storeWithHelper(host, helper, key, user, password);
    return path;
  }
  if (user.includes(':')) throw new RegistryError('configuration', 'a user name cannot hold a colon');
  const auth = Buffer.from(`${user}:${password}`, 'latin1').toString('base64');
  write(host, path, { ...file.document, auths: { ...objectAt(file, 'auths'), [key]: { auth } } });
  return path;
}

/** Forgets credentials; false when there are none. */
export function forgetCredentials(host: Host, named: string | undefined, key: string): boolean {
  const path = authFilePath(host, named);
  if (readAuthFile(host, path) === undefined) return false;
  return alone(host, path, () => forgetIn(host, path, key));
}

function forgetIn(host: Host, path: string, key: string): boolean {
  const file = readAuthFile(host, path);
  if (file === undefined) return false;
  const helper = objectAt(file, 'credHelpers')[key];
  const erased = typeof helper === 'string' && helper !== '' && eraseWithHelper(host, helper, key);
  const auths = objectAt(file, 'auths');
  if (!Object.hasOwn(auths, key)) return erased;
  const { [key]: _gone, ...rest } = auths;
  write(host, path, { ...file.document, auths: rest });
  return true;
}

/** Forgets all of the file, and of the helpers that it names. */
export function forgetAll(host: Host, named: string | undefined): void {
  const path = authFilePath(host, named);
  if (readAuthFile(host, path) === undefined) return;
  alone(host, path, () => forgetAllIn(host, path));
}

function forgetAllIn(host: Host, path: string): void {
  const file = readAuthFile(host, path);
  if (file === undefined) return;
  for (const [key, helper] of Object.entries(objectAt(file, 'credHelpers')))
    if (typeof helper === 'string' && helper !== '') eraseWithHelper(host, helper, key);
  write(host, path, { ...file.document, auths: {} });
}

/** The other file that has credentials for the key, for a message. */
export function otherFile(host: Host, key: string): string | undefined {
  const own = authFilePath(host, undefined);
  const found = authFiles(host, undefined).find(
    (file: AuthFile) => file.path !== own && Object.hasOwn(objectAt(file, 'auths'), key),
  );
  return found?.path;
}

/** Who reads the file to write it again does so alone: of two logins at once both are kept. The lock is a file of its own, since the other one is replaced. */
function alone<T>(host: Host, path: string, body: () => T): T {
  const target = targetOf(host, path);
  const lock = host.lock(`${target}.lock`, true, true);
  try {
    return body();
  } finally {
    lock?.release();
  }
}

/** A link is written through. The directory is made. */
function targetOf(host: Host, path: string): string {
  const target = host.realpath(path) ?? path;
  const directory = target.slice(0, target.lastIndexOf('/'));
  if (directory !== '') host.mkdirs(directory, 0o700);
  return target;
}

/** For its owner alone, whole or not at all. */
function write(host: Host, path: string, document: unknown): void {
  host.writeFileAtomic(targetOf(host, path), `${JSON.stringify(document, undefined, '\t')}\n`, 0o600);
}
