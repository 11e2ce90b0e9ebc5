import { parseJson } from '../../base/json.ts';
import { HostError, type Host } from '../../host/host.ts';
import type { Credentials } from './credentials.ts';
import { RegistryError } from './error.ts';

/**
 * The programs docker-credential-NAME, which keep passwords elsewhere. They are run without a shell; the address goes through standard input.
 * https://github.com/docker/docker-credential-helpers/blob/v0.9.3/README.md#development
 */
export function askHelper(host: Host, name: string, key: string): Credentials | undefined {
  const { status, stdout } = runHelper(host, name, 'get', key);
  if (status !== 0) {
    if (/credentials not found|no credentials|no username/i.test(stdout)) return undefined;
    throw failed(name, 'get', key, status);
  }
  const answer = parseAnswer(stdout);
  const { Username: user, Secret: secret } = answer;
  if (typeof user !== 'string' || typeof secret !== 'string') throw unreadable(name, key);
  if (secret === '') return undefined;
  return user === '<token>'
    ? { kind: 'identity', user: '', token: secret }
    : { kind: 'password', user, password: secret };
}

export function storeWithHelper(host: Host, name: string, key: string, user: string, password: string): void {
  const input = JSON.stringify({ ServerURL: key, Username: user, Secret: password });
  const { status } = runHelper(host, name, 'store', input);
  if (status !== 0) throw failed(name, 'store', key, status);
}

/** False when it had none. */
export function eraseWithHelper(host: Host, name: string, key: string): boolean {
  const known = askHelper(host, name, key) !== undefined;
  const { status } = runHelper(host, name, 'erase', key);
  if (status !== 0 && known) throw failed(name, 'erase', key, status);
  return known;
}

/** The addresses that it has something for. */
export function listHelper(host: Host, name: string): string[] {
  const { status, stdout } = runHelper(host, name, 'list', '');
  if (status !== 0) throw failed(name, 'list', 'all registries', status);
  return Object.keys(parseAnswer(stdout));
}

/** A helper may ask the user's key ring, which may ask the user. */
const HELPER_SECONDS = 60;

function runHelper(host: Host, name: string, verb: string, input: string): { status: number; stdout: string } {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    throw new RegistryError('configuration', `${name}: not the name of a credential helper`);
  try {
    const done = host.run({
      argv: [findProgram(host, `docker-credential-${name}`), verb],
      environment: host.environmentList(),
      input,
      stdout: 'capture',
      stderr: 'capture',
      timeout: HELPER_SECONDS * 1000,
    });
    return { status: done.status ?? -1, stdout: done.stdout };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new RegistryError('configuration', `docker-credential-${name} cannot be run: ${error.message}`);
  }
}

function findProgram(host: Host, program: string): string {
  for (const directory of (host.environment('PATH') ?? '').split(':')) {
    if (!directory.startsWith('/')) continue;
    const path = `${directory}/${program}`;
    if (host.stat(path)?.kind === 'file' && host.access(path, 1)) return path;
  }
  return program;
}

function parseAnswer(stdout: string): Record<string, unknown> {
  try {
    const answer = parseJson(stdout);
    return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What a helper printed is not shown: it may be the secret. */
function failed(name: string, verb: string, key: string, status: number): RegistryError {
  return new RegistryError('configuration', `docker-credential-${name} ${verb}: ended with ${status} for ${key}`);
}

function unreadable(name: string, key: string): RegistryError {
  return new RegistryError(
    'configuration',
    `docker-credential-${name} get: no user name and secret in its answer for ${key}`,
  );
}
