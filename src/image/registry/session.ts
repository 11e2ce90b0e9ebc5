import { basicHeader } from './basic.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { Connections } from './connections.ts';
import type { Credentials } from './credentials.ts';
import { RegistryError } from './error.ts';
import { exchange, type Answer, type Exchange } from './exchange.ts';
import { credentialsFor, REDIRECT_LIMIT, redirectRefusal } from './rules.ts';
import { fetchToken, type Token } from './tokens.ts';

/** One registry with one account: requests with the right credentials, redirects followed. */
export interface Session {
  /** `https://HOST`, or `http://HOST` of an insecure registry that has no TLS. */
  base(): URL;
  /** `target`: a path from the root, or an address that the registry gave. The answer may have any status but a redirect of GET and HEAD. */
  send(request: SessionRequest): Promise<Answer>;
}

export interface SessionRequest extends Omit<Exchange, 'url'> {
  readonly target: string | URL;
  /** What a token has to allow, as `repository:team/app:pull`. */
  readonly scopes: readonly string[];
}

export interface SessionFacts {
  readonly host: string;
  readonly insecure: boolean;
  readonly connections: Connections;
  /** Asked for once, when the registry wants some. */
  readonly credentials: () => Credentials | undefined;
  readonly stall: number;
}

export function openSession(facts: SessionFacts): Session {
  const state: State = {
    facts,
    base: new URL(`https://${facts.host}`),
    tokens: new Map(),
    pending: new Map(),
    challenges: [],
    settled: !facts.insecure,
  };
  return { base: () => state.base, send: request => send(state, request) };
}

interface State {
  readonly facts: SessionFacts;
  base: URL;
  readonly tokens: Map<string, Token>;
  readonly pending: Map<string, Promise<Token>>;
  /** What the registry offered when it last wanted credentials. */
  challenges: readonly Challenge[];
  credentials?: Credentials | undefined;
  asked?: true;
  /** Whether `base` is known to have the right scheme. */
  settled: boolean;
  /** The request that finds that out. */
  first?: Promise<Answer> | undefined;
}

async function send(state: State, request: SessionRequest): Promise<Answer> {
  let answer = await attempt(state, request, false);
  if (answer.status === 401 && credentialsFor(state.base, answer.url)) {
    state.challenges = parseChallenges(answer.headers['www-authenticate'] ?? '');
    answer.drop();
    // A token that was taken before may have run out, by the registry's clock or ours: it is fetched once more.
    answer = await attempt(state, request, true);
  }
  return answer;
}

/** The request along its redirects. Only the registry's own origin gets credentials. */
async function attempt(state: State, request: SessionRequest, fresh: boolean): Promise<Answer> {
  const authorization = await authorize(state, request, fresh);
  let url = resolveTarget(state, request.target);
  for (let hops = 0; hops <= REDIRECT_LIMIT; hops++) {
    const own = credentialsFor(state.base, url);
    const headers = { ...request.headers, ...(own && authorization !== undefined ? { authorization } : {}) };
    const answer = await settle(state, { ...request, url, headers });
    if (!isRedirect(answer.status) || (request.method !== 'GET' && request.method !== 'HEAD')) return answer;
    const next = locationOf(answer);
    answer.drop();
    const against = redirectRefusal(answer.url, next);
    if (against !== undefined)
      throw new RegistryError('policy', `${answer.url.host}: a redirect to ${next.host} is not followed: ${against}`);
    url = next;
  }
  throw new RegistryError('policy', `${state.base.host}: more than ${REDIRECT_LIMIT} redirects`);
}

/**
 * The first request to a registry that is marked insecure finds out how it is spoken to. Those that are sent beside it wait, and share its
 * failure: ten layers do not wait ten times for a host that is not there.
 */
async function settle(state: State, request: Exchange): Promise<Answer> {
  const { connections, stall } = state.facts;
  if (state.settled || request.url.origin !== state.base.origin) return exchange(connections, request, stall);
  while (!state.settled) {
    if (state.first === undefined) {
      state.first = findScheme(state, request).finally(() => (state.first = undefined));
      return state.first;
    }
    await state.first.catch((error: unknown) => {
      // What only that one was about is not ours.
      if (error instanceof RegistryError && error.kind !== 'aborted') throw error;
    });
  }
  return exchange(connections, atBase(state, request), stall);
}

/** By TLS when it has that, otherwise over http. */
async function findScheme(state: State, request: Exchange): Promise<Answer> {
  const { connections, host, stall } = state.facts;
  try {
    const answer = await exchange(connections, request, stall);
    state.settled = true;
    return answer;
  } catch (error) {
    if (!(error instanceof RegistryError) || !NO_TLS.has(error.kind)) throw error;
    const base = new URL(`http://${host}`);
    const answer = await exchange(connections, atBase({ base }, request), stall);
    state.base = base;
    state.settled = true;
    return answer;
  }
}

/** What was to go by https goes without its secret by http. */
function atBase({ base }: Pick<State, 'base'>, request: Exchange): Exchange {
  if (request.url.origin === base.origin) return request;
  const { authorization: _secret, ...headers } = request.headers ?? {};
  return { ...request, url: new URL(`${request.url.pathname}${request.url.search}`, base), headers };
}

const NO_TLS: ReadonlySet<string> = new Set(['certificate', 'broken', 'offline']);

async function authorize(state: State, request: SessionRequest, fresh: boolean): Promise<string | undefined> {
  const bearer = state.challenges.find(one => one.scheme === 'bearer');
  if (bearer === undefined) {
    const basic = state.challenges.some(one => one.scheme === 'basic');
    const credentials = basic ? credentialsOf(state) : undefined;
    return credentials?.kind === 'password' ? basicHeader(credentials) : undefined;
  }
  const key = [...request.scopes].sort().join(' ');
  const known = state.tokens.get(key);
  if (!fresh && known !== undefined && known.until > performance.now() / 1000) return known.header;
  // Layers that come side by side share one question.
  const asked = state.pending.get(key) ?? askToken(state, bearer, request);
  state.pending.set(key, asked);
  try {
    const token = await asked;
    state.tokens.set(key, token);
    return token.header;
  } finally {
    state.pending.delete(key);
  }
}

function askToken(state: State, challenge: Challenge, { scopes, signal }: SessionRequest): Promise<Token> {
  const offered = (challenge.parameters.get('scope') ?? '').split(' ').filter(one => one !== '');
  return fetchToken(state.facts.connections, {
    registry: state.base,
    challenge,
    scopes: scopes.length > 0 ? scopes : offered,
    credentials: credentialsOf(state),
    stall: state.facts.stall,
    signal,
  });
}

function credentialsOf(state: State): Credentials | undefined {
  if (state.asked === undefined) {
    state.credentials = state.facts.credentials();
    state.asked = true;
  }
  return state.credentials;
}

/** An address that the registry gave may be relative. */
function resolveTarget(state: State, target: string | URL): URL {
  if (target instanceof URL) return target;
  return new URL(target, state.base);
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** The `Location` of an answer, made absolute. */
export function locationOf(answer: Answer): URL {
  const location = answer.headers.location ?? '';
  try {
    if (location !== '') return new URL(location, answer.url);
  } catch {
    // Said below.
  }
  throw new RegistryError('bad-answer', `${answer.url.host}: an answer ${answer.status} without a usable Location`);
}

/** The `Location` of an upload: what was to be sent by https does not go by http (T21). */
export function uploadAddress(answer: Answer): URL {
  const place = locationOf(answer);
  const against = redirectRefusal(answer.url, place);
  if (against === undefined) return place;
  throw new RegistryError('policy', `${answer.url.host}: nothing is uploaded to ${place.host}: ${against}`);
}
