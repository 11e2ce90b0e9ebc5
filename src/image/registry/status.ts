import { parseJson } from '../../base/json.ts';
import { RegistryError } from './error.ts';
import type { Answer } from './exchange.ts';

const ERROR_LIMIT = 64 << 10;

/** The answer when its status is one of `wanted`; otherwise what it means. `what`: the thing that was asked for, with its tag. */
export async function expect(answer: Answer, wanted: readonly number[], what: string): Promise<Answer> {
  if (wanted.includes(answer.status)) return answer;
  throw await failureOf(answer, what);
}

/** Why a request was not answered as hoped, from status and body. */
export async function failureOf(answer: Answer, what: string): Promise<RegistryError> {
  const { status, url } = answer;
  const said = await messageOf(answer);
  const host = url.host;
  const suffix = said === '' ? '' : ` (${said})`;
  if (status === 401) {
    return new RegistryError(
      'unauthorized',
      `${host}: ${what}: not without the right credentials, or there is no such thing${suffix}; log in with berth login`,
    );
  }
  if (status === 403) return new RegistryError('denied', `${host}: ${what}: access is denied${suffix}`);
  if (status === 404) return new RegistryError('not-found', `${host}: ${what}: not found${suffix}`);
  if (status === 429)
    return new RegistryError('broken', `${host}: too many requests${suffix}`, retryAfter(answer) ?? 5);
  if (status >= 500 || status === 408)
    return new RegistryError('broken', `${host}: the server failed with ${status}${suffix}`, retryAfter(answer));
  if (status >= 300 && status < 400)
    return new RegistryError('bad-answer', `${host}: ${what}: a redirect where none is followed`);
  return new RegistryError('bad-answer', `${host}: ${what}: answer ${status}${suffix}`);
}

/**
 * Seconds of `Retry-After`: a number, or a date, which is compared with the server's own `Date` (RFC 9110, 10.2.3).
 */
export function retryAfter({ headers }: Pick<Answer, 'headers'>): number | undefined {
  const value = headers['retry-after'] ?? '';
  if (/^\d{1,9}$/.test(value)) return Number(value);
  const then = Date.parse(value);
  if (value === '' || Number.isNaN(then)) return undefined;
  const now = Date.parse(headers.date ?? '');
  return Math.max(0, (then - (Number.isNaN(now) ? Date.now() : now)) / 1000);
}

/** The registry's own words: `{"errors":[{"code","message"}]}`, one line of printable ASCII. */
async function messageOf(answer: Answer): Promise<string> {
  try {
    const document = parseJson((await answer.bytes(ERROR_LIMIT)).toString('latin1')) as { errors?: unknown };
    const [first] = Array.isArray(document.errors) ? (document.errors as unknown[]) : [];
    const { code, message } = (first ?? {}) as { code?: unknown; message?: unknown };
    const text = typeof message === 'string' && message !== '' ? message : typeof code === 'string' ? code : '';
    return text
      .replace(/[^\x20-\x7e]+/g, ' ')
      .trim()
      .slice(0, 200);
  } catch {
    // No words of its own, or the connection ended: the status says enough.
    return '';
  }
}
