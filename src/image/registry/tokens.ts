import { parseJson } from '../../base/json.ts';
import { basicHeader } from './basic.ts';
import type { Challenge } from './challenge.ts';
import type { Connections } from './connections.ts';
import type { Credentials } from './credentials.ts';
import { RegistryError } from './error.ts';
import { exchange, wholeBody, type Answer, type Exchange } from './exchange.ts';
import { realmRefusal } from './rules.ts';
import { retryAfter } from './status.ts';

/** A bearer token and until when it is worth trying, by our own steady clock: the clocks of two machines need not agree. */
export interface Token {
  readonly header: string;
  readonly until: number;
}

export interface TokenRequest {
  readonly registry: URL;
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  readonly credentials: Credentials | undefined;
  readonly stall: number;
  readonly signal: AbortSignal | undefined;
}

const TOKEN_LIMIT = 1 << 20;
/** What a token that says nothing is good for. https://distribution.github.io/distribution/spec/auth/token/ */
const DEFAULT_SECONDS = 60;

/** Asks the token service that a registry names. Credentials go to it under the rule of `realmRefusal` only. */
export async function fetchToken(connections: Connections, request: TokenRequest): Promise<Token> {
  const { registry, challenge } = request;
  const realm = realmOf(registry, challenge);
  const began = performance.now() / 1000;
  const asked =
    request.credentials?.kind === 'identity'
      ? refreshRequest(realm, request, request.credentials)
      : plainRequest(realm, request);
  const answer = await exchange(connections, asked, request.stall);
  if (answer.status === 401 || answer.status === 403) {
    answer.drop();
    throw refused(registry, realm, request.credentials);
  }
  if (answer.status !== 200) {
    answer.drop();
    const kind = answer.status >= 500 || answer.status === 429 ? 'broken' : 'bad-answer';
    const text = `${registry.host}: its token service ${realm.host} answers ${answer.status}`;
    throw new RegistryError(kind, text, retryAfter(answer));
  }
  const { token, seconds } = await readToken(answer, registry, realm);
  return { header: `Bearer ${token}`, until: began + Math.max(seconds, DEFAULT_SECONDS) - 5 };
}

function realmOf(registry: URL, challenge: Challenge): URL {
  let realm: URL;
  try {
    realm = new URL(challenge.parameters.get('realm') ?? '');
  } catch {
    throw new RegistryError('bad-answer', `${registry.host}: it names no address of a token service`);
  }
  const against = realmRefusal(registry, realm);
  if (against === undefined) return realm;
  throw new RegistryError('policy', `${registry.host}: its token service ${realm.host} is not asked: ${against}`);
}

function plainRequest(realm: URL, { challenge, scopes, credentials, signal }: TokenRequest): Exchange {
  const url = new URL(realm);
  const service = challenge.parameters.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credentials?.kind !== 'password') return { method: 'GET', url, signal };
  if (credentials.user !== '') url.searchParams.set('account', credentials.user);
  return { method: 'GET', url, headers: { authorization: basicHeader(credentials) }, signal };
}

/** https://distribution.github.io/distribution/spec/auth/oauth/ */
function refreshRequest(realm: URL, request: TokenRequest, credentials: Credentials & { kind: 'identity' }): Exchange {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'berth',
    service: request.challenge.parameters.get('service') ?? '',
    scope: request.scopes.join(' '),
    refresh_token: Buffer.from(credentials.token, 'latin1').toString('utf8'),
  });
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: wholeBody(Buffer.from(form.toString(), 'latin1')),
    signal: request.signal,
  };
}

async function readToken(answer: Answer, registry: URL, realm: URL): Promise<{ token: string; seconds: number }> {
  const bytes = (await answer.bytes(TOKEN_LIMIT)).toString('latin1');
  let document: unknown;
  try {
    document = parseJson(bytes);
  } catch {
    // Said below; the answer is not quoted, it may hold a token.
  }
  const { token, access_token: access, expires_in: seconds } = (document ?? {}) as Record<string, unknown>;
  const found = typeof token === 'string' && token !== '' ? token : access;
  // It becomes a header: RFC 6750 has these characters only.
  if (typeof found !== 'string' || !/^[A-Za-z0-9._~+/=-]+$/.test(found))
    throw new RegistryError('bad-answer', `${registry.host}: its token service ${realm.host} answers without a token`);
  return { token: found, seconds: typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, 86_400) : 0 };
}

function refused(registry: URL, realm: URL, credentials: Credentials | undefined): RegistryError {
  const what = credentials === undefined ? 'gives no token without credentials' : 'does not accept the credentials';
  return new RegistryError('unauthorized', `${registry.host}: its token service ${realm.host} ${what}`);
}
