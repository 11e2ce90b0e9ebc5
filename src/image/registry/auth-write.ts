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

/** For its owner alone, whole or not at all; a link is written through. */
function write(host: Host, path: string, document: unknown): void {
  const target = host.realpath(path) ?? path;
  const directory = target.slice(0, target.lastIndexOf('/'));
  if (directory !== '') host.mkdirs(directory, 0o700);
  host.writeFileAtomic(target, `${JSON.stringify(document, undefined, '\t')}\n`, 0o600);
}
