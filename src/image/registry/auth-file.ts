import { decodeBase64 } from '../../base/base64.ts';
import { parseJson } from '../../base/json.ts';
import type { Host } from '../../host/host.ts';
import type { Credentials } from './credentials.ts';
import { homeOf } from '../store.ts';
import { RegistryError } from './error.ts';
import { configDirectory } from './registries-files.ts';

/** A file of credentials, auth.json of the containers tools or config.json of Docker: containers-auth.json(5). */
export interface AuthFile {
  readonly path: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/** A helper that is to be asked for `key`. */
export interface HelperEntry {
  readonly helper: string;
  readonly key: string;
}

/** The files that there are, first counts first. One that was named must exist. */
export function authFiles(host: Host, named: string | undefined): AuthFile[] {
  const explicit = named ?? host.environment('REGISTRY_AUTH_FILE') ?? '';
  if (explicit !== '') {
    const file = readAuthFile(host, explicit);
    if (file === undefined) throw new RegistryError('configuration', `${explicit}: no such file of credentials`);
    return [file];
  }
  return searchPath(host)
    .map(path => readAuthFile(host, path))
    .filter(file => file !== undefined);
}

/** Where `login` writes. */
export function authFilePath(host: Host, named: string | undefined): string {
  const explicit = named ?? host.environment('REGISTRY_AUTH_FILE') ?? '';
  return explicit !== '' ? explicit : (searchPath(host)[0] ?? '');
}

/** undefined when there is none. What is not readable is said: asking without credentials would fail with a riddle. */
export function readAuthFile(host: Host, path: string): AuthFile | undefined {
  const bytes = host.readFileIfExists(path, 4 << 20);
  if (bytes === undefined) return undefined;
  if (bytes.trim() === '') return { path, document: {} };
  try {
    const document = parseJson(bytes);
    if (isObject(document)) return { path, document };
  } catch (error) {
    // The text of the error may quote the file.
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new RegistryError('configuration', `${path}: not a JSON object; log in again, or correct it`);
}

/** What a file says about a repository; undefined when nothing. */
export function entryOf(file: AuthFile, registry: string, path: string): Credentials | HelperEntry | undefined {
  const helpers = objectAt(file, 'credHelpers');
  for (const key of registryKeys(registry)) {
    const helper = helpers[key];
    if (typeof helper === 'string' && helper !== '') return { helper, key };
  }
  const auths = objectAt(file, 'auths');
  for (const key of [...repositoryKeys(registry, path), ...legacyKeys(auths, registry)]) {
    const found = Object.hasOwn(auths, key) ? decodeEntry(file, key, auths[key]) : undefined;
    if (found !== undefined) return found;
  }
  const store = file.document['credsStore'];
  const key = registry === 'docker.io' ? DOCKER_LEGACY : registry;
  return typeof store === 'string' && store !== '' ? { helper: store, key } : undefined;
}

/** A part of the file that is an object; empty when absent. */
export function objectAt(file: AuthFile, key: string): Readonly<Record<string, unknown>> {
  const value = file.document[key] ?? {};
  if (isObject(value)) return value;
  throw new RegistryError('configuration', `${file.path}: ${key} is not an object`);
}

const DOCKER_LEGACY = 'https://index.docker.io/v1/';

function searchPath(host: Host): string[] {
  const runtime = host.environment('XDG_RUNTIME_DIR');
  const config = configDirectory(host);
  const home = homeOf(host);
  const docker = host.environment('DOCKER_CONFIG') ?? (home === '' ? '' : `${home}/.docker`);
  return [
    runtime?.startsWith('/') === true ? `${runtime}/containers/auth.json` : `/run/containers/${host.euid}/auth.json`,
    ...(config === undefined ? [] : [`${config}/auth.json`]),
    ...(docker === '' ? [] : [`${docker}/config.json`]),
  ];
}

function registryKeys(registry: string): string[] {
  return registry === 'docker.io' ? ['docker.io', DOCKER_LEGACY] : [registry];
}

function repositoryKeys(registry: string, path: string): string[] {
  const keys: string[] = [];
  for (let name = path === '' ? registry : `${registry}/${path}`; name !== '';) {
    keys.push(name);
    const slash = name.lastIndexOf('/');
    name = slash < 0 ? '' : name.slice(0, slash);
  }
  return keys;
}

/** Docker's own keys are addresses: `https://index.docker.io/v1/`. */
function legacyKeys(auths: Readonly<Record<string, unknown>>, registry: string): string[] {
  return Object.keys(auths).filter(key => {
    if (!/^https?:\/\//.test(key) && !key.endsWith('/v1/') && !key.endsWith('/v2/')) return false;
    const name = key.replace(/^https?:\/\//, '').split('/')[0] ?? '';
    return name === registry || (registry === 'docker.io' && name === 'index.docker.io');
  });
}

function decodeEntry(file: AuthFile, key: string, value: unknown): Credentials | undefined {
  if (!isObject(value)) throw new RegistryError('configuration', `${file.path}: the entry of ${key} is not an object`);
  const { auth = '', identitytoken = '' } = value;
  if (typeof auth !== 'string' || typeof identitytoken !== 'string')
    throw new RegistryError('configuration', `${file.path}: the entry of ${key} is not one of texts`);
  if (auth === '' && identitytoken === '') return undefined;
  const decoded = decodeBase64(auth).replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  const user = colon < 0 ? '' : decoded.slice(0, colon);
  if (identitytoken !== '') return { kind: 'identity', user, token: identitytoken };
  if (colon < 0)
    throw new RegistryError(
      'configuration',
      `${file.path}: the entry of ${key} is not base64 of USER:PASSWORD; log in again`,
    );
  return { kind: 'password', user, password: decoded.slice(colon + 1) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
