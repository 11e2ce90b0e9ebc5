/**
 * Who may be sent what, apart from the code that sends it (T21).
 */

/** Credentials go to the origin (scheme, host and port) that they were meant for, and nowhere else: not along a redirect, not to an upload's address. */
export function credentialsFor(meant: URL, target: URL): boolean {
  return meant.origin === target.origin && meant.origin !== 'null';
}

/**
 * Whether a token service may be asked, with credentials: over https anywhere, since the registry decides whom it trusts; over http
 * only on the registry's own host, and only when the registry is spoken to over http too. Returns the reason against it.
 */
export function realmRefusal(registry: URL, realm: URL): string | undefined {
  if (realm.username !== '' || realm.password !== '') return 'its address holds a password';
  if (realm.protocol === 'https:') return undefined;
  if (realm.protocol !== 'http:') return 'it is neither http nor https';
  if (registry.protocol === 'http:' && registry.hostname === realm.hostname) return undefined;
  return 'it is not https';
}

/** Whether a redirect is followed: never from https to http, never to another kind of address. Returns the reason against it. */
export function redirectRefusal(from: URL, to: URL): string | undefined {
  if (to.username !== '' || to.password !== '') return 'its address holds a password';
  if (to.protocol === 'https:') return undefined;
  if (to.protocol !== 'http:') return 'it is neither http nor https';
  return from.protocol === 'https:' ? 'it leads from https to http' : undefined;
}

export const REDIRECT_LIMIT = 10;
