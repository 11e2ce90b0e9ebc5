import type { Host } from '../../host/host.ts';
import { authFiles, entryOf, type AuthFile } from './auth-file.ts';
import { askHelper } from './credential-helper.ts';
import { RegistryError } from './error.ts';
import { AUTH_FILES, type RegistriesConf } from './registries-conf.ts';

/** What a registry is told about who asks. `identity`: a token for its token service instead of a password. */
export type Credentials =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'identity'; readonly user: string; readonly token: string };

/**
 * The credentials for a repository, or undefined: those of --creds, else what the helpers and files say, in the order of registries.conf.
 * In a file the longest key counts: `host/team/app`, `host/team`, `host`. containers-auth.json(5)
 */
export function findCredentials(
  host: Host,
  conf: RegistriesConf,
  wanted: { readonly registry: string; readonly path: string; readonly creds?: string; readonly authfile?: string },
): Credentials | undefined {
  if (wanted.creds !== undefined) return parseCreds(wanted.creds);
  for (const source of conf.credentialHelpers) {
    const found =
      source === AUTH_FILES
        ? fromFiles(host, authFiles(host, wanted.authfile), wanted)
        : askHelper(host, source, wanted.registry);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `USER:PASSWORD`; a password may hold colons. */
function parseCreds(text: string): Credentials {
  const colon = text.indexOf(':');
  if (colon <= 0) {
    throw new RegistryError('configuration', '--creds: write USER:PASSWORD, or USER to be asked for the password');
  }
  return { kind: 'password', user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function fromFiles(
  host: Host,
  files: readonly AuthFile[],
  wanted: { readonly registry: string; readonly path: string },
): Credentials | undefined {
  for (const file of files) {
    const entry = entryOf(file, wanted.registry, wanted.path);
    if (entry === undefined) continue;
    const found = 'helper' in entry ? askHelper(host, entry.helper, entry.key) : entry;
    if (found !== undefined) return found;
  }
  return undefined;
}
