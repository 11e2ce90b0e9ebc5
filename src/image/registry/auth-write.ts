import type { Host } from '../../host/host.ts';
import { authFilePath, authFiles, objectAt, readAuthFile, type AuthFile } from './auth-file.ts';
import { eraseWithHelper, listHelper, storeWithHelper } from './credential-helper.ts';
import { RegistryError } from './error.ts';
import { AUTH_FILES, type RegistriesConf } from './registries-conf.ts';

type Helpers = Pick<RegistriesConf, 'credentialHelpers'>;

/** Keeps credentials with the first that takes them of those that registries.conf names: a helper, or the file. Returns which. */
export function keepCredentials(
  host: Host,
  conf: Helpers,
  named: string | undefined,
  key: string,
  user: string,
  password: string,
): string {
  const failures: RegistryError[] = [];
  for (const source of conf.credentialHelpers) {
    try {
      if (source === AUTH_FILES) {
        const path = authFilePath(host, named);
        return alone(host, path, () => keepIn(host, path, key, user, password));
      }
      if (key.includes('/'))
        throw new RegistryError(
          'configuration',
          `${key}: the credential helper ${source} keeps those of whole registries`,
        );
      storeWithHelper(host, source, key, user, password);
      return `credential helper ${source}`;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      failures.push(error);
    }
  }
  throw joined(failures);
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

/** Forgets credentials, wherever they may be kept; false when there are none. */
export function forgetCredentials(host: Host, conf: Helpers, named: string | undefined, key: string): boolean {
  return fromEach(conf, source => {
    if (source !== AUTH_FILES) return !key.includes('/') && eraseWithHelper(host, source, key);
    const path = authFilePath(host, named);
    return readAuthFile(host, path) !== undefined && alone(host, path, () => forgetIn(host, path, key));
  });
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

/** Forgets all of the file, of the helpers that it names, and of those that registries.conf names. */
export function forgetAll(host: Host, conf: Helpers, named: string | undefined): void {
  fromEach(conf, source => {
    if (source !== AUTH_FILES)
      return listHelper(host, source)
        .map(key => eraseWithHelper(host, source, key))
        .includes(true);
    const path = authFilePath(host, named);
    if (readAuthFile(host, path) !== undefined) alone(host, path, () => forgetAllIn(host, path));
    return true;
  });
}

/** Whether one of them had something. One that fails keeps nobody from asking the others. */
function fromEach(conf: Helpers, forget: (source: string) => boolean): boolean {
  const failures: RegistryError[] = [];
  let found = false;
  for (const source of conf.credentialHelpers) {
    try {
      found = forget(source) || found;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0) throw joined(failures);
  return found;
}

function joined(failures: readonly RegistryError[]): RegistryError {
  return new RegistryError('configuration', failures.map(error => error.message).join('; '));
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
