import { ImageError } from '../error.ts';

/**
 * Why a registry did not do what was asked:
 * - `unauthorized`: it wants (other) credentials; `denied`: the account may not
 * - `not-found`: no such repository, tag, manifest or blob
 * - `no-platform`: the index has no image for the platform
 * - `offline`: no address, no route, refused, timed out: no request reached it
 * - `stalled`: it was silent for too long; `broken`: the connection ended too early, or the server failed, after all tries
 * - `certificate`: TLS could not be verified
 * - `policy`: registries.conf, policy.json or a rule of ours (redirects, realms) forbids it
 * - `too-large`, `bad-digest`, `bad-answer`: what it sent cannot be what it should be; `unsupported`: what Berth does not do
 * - `configuration`: a file or option of ours is wrong; `aborted`: the caller's signal
 */
export type RegistryErrorKind =
  | 'unauthorized'
  | 'denied'
  | 'not-found'
  | 'no-platform'
  | 'offline'
  | 'stalled'
  | 'broken'
  | 'certificate'
  | 'policy'
  | 'too-large'
  | 'bad-digest'
  | 'bad-answer'
  | 'unsupported'
  | 'configuration'
  | 'aborted';

/** One line: who, what, what to do. It never holds a secret: no header, no query of an address. */
export class RegistryError extends ImageError {
  readonly kind: RegistryErrorKind;
  constructor(kind: RegistryErrorKind, message: string) {
    super(message);
    this.name = 'RegistryError';
    this.kind = kind;
  }
}

/** Whether the network is the reason: with a usable image at hand a start goes on with that one. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof RegistryError && UNREACHABLE.has(error.kind);
}

const UNREACHABLE: ReadonlySet<RegistryErrorKind> = new Set(['offline', 'stalled', 'broken']);
