import { ImageError } from '../error.ts';

/**
 * Why a registry did not do what was asked:
 * - `unauthorized`: it wants (other) credentials; `denied`: the account may not
 * - `not-found`: no such repository, tag, manifest or blob
 * - `no-platform`: the index has no image for the platform
 * - `offline`: no address, no route, refused, timed out: no request reached it
 * - `stalled`: it was silent for too long; `broken`: the connection ended too early, or the server failed, after all tries
 * - `proxy`: the proxy did not let a request through
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
  | 'proxy'
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
  /** Seconds after which the server wants to be asked again. */
  readonly after: number | undefined;
  constructor(kind: RegistryErrorKind, message: string, after?: number) {
    super(message);
    this.name = 'RegistryError';
    this.kind = kind;
    this.after = after;
  }
}

/** Whether the network is the reason: with a usable image at hand a start goes on with that one. Also what is worth another try. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof RegistryError && UNREACHABLE.has(error.kind);
}

const UNREACHABLE: ReadonlySet<RegistryErrorKind> = new Set(['offline', 'stalled', 'broken', 'proxy']);

/** What went wrong on the way to `host`, as one of ours. */
export function networkError(host: string, error: unknown): Error {
  if (error instanceof RegistryError) return error;
  if (!(error instanceof Error)) return new RegistryError('broken', `${host}: ${String(error)}`);
  // Several addresses were tried: what the first of them said.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const { code = '' } = (first ?? error) as { readonly code?: string };
  const offline = OFFLINE[code];
  if (offline !== undefined) return new RegistryError('offline', `${host}: ${offline}`);
  const broken = BROKEN[code];
  if (broken !== undefined) return new RegistryError('broken', `${host}: ${broken}`);
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    const plain = error.message.includes('wrong version number') || error.message.includes('packet length too long');
    const alert = /alert (bad certificate|certificate required|unknown ca|handshake failure)/.exec(error.message)?.[1];
    if (alert !== undefined) return clientCertificate(host, alert);
    return new RegistryError('certificate', `${host}: ${plain ? PLAIN_HTTP : 'TLS failed'}`);
  }
  if (code.startsWith('ERR_TLS_CERT_ALTNAME'))
    return new RegistryError('certificate', `${host}: its certificate is for another name`);
  if (TIMES.has(code)) {
    const now = new Date().toISOString().slice(0, 16);
    return new RegistryError(
      'certificate',
      `${host}: its certificate ${TIMES.get(code) ?? ''}; the clock here says ${now}Z`,
    );
  }
  // TLS 1.3 tells it after the handshake.
  const [, late] = /_ALERT_(.*CERTIFICATE.*|UNKNOWN_CA)/.exec(code) ?? [];
  if (late !== undefined) return clientCertificate(host, late.toLowerCase().replaceAll('_', ' '));
  if (/CERT|SIGNATURE|ISSUER|CRL/.test(code)) {
    return new RegistryError(
      'certificate',
      `${host}: its certificate is not from an authority known here (${code}); put the authority into /etc/containers/certs.d/${host}/ca.crt`,
    );
  }
  if (code.startsWith('HPE_'))
    return new RegistryError('bad-answer', `${host}: not an HTTP answer, or too large a head (${code})`);
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS'))
    return new RegistryError('certificate', `${host}: TLS failed (${code})`);
  // A disk that is full, a reader that ended: not the registry's.
  return error;
}

/** What it says to a client without one, or with that of an authority it does not know. */
function clientCertificate(host: string, alert: string): RegistryError {
  return new RegistryError(
    'certificate',
    `${host}: it refuses our client certificate or wants one (${alert}); put client.cert and client.key into /etc/containers/certs.d/${host}`,
  );
}

const PLAIN_HTTP = 'it does not speak TLS; for a registry over http write insecure = true in registries.conf';

const OFFLINE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name has no address; is the network up?',
  EAI_AGAIN: 'the name cannot be looked up; is the network up?',
  EAI_FAIL: 'the name cannot be looked up',
  ECONNREFUSED: 'the connection is refused',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'the network cannot be reached',
  ENETDOWN: 'the network is down',
  EADDRNOTAVAIL: 'there is no route to it',
  ETIMEDOUT: 'the connection takes too long',
};

const BROKEN: Readonly<Record<string, string>> = {
  ECONNRESET: 'the connection was cut off',
  ECONNABORTED: 'the connection was cut off',
  EPIPE: 'the connection was cut off',
  ERR_STREAM_PREMATURE_CLOSE: 'the connection was cut off',
  HPE_INVALID_EOF_STATE: 'the connection was cut off',
};

const TIMES: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'has expired'],
  ['CERT_NOT_YET_VALID', 'is not valid yet'],
]);
