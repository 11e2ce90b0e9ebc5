import { listOf, objectOf, parseDocument } from '../config.ts';
import { RegistryError } from './error.ts';
import type { Answer } from './exchange.ts';
import { withRetries, type RetryRules } from './retry.ts';
import type { Session } from './session.ts';
import { expect } from './status.ts';

const PAGE_LIMIT = 8 << 20;
const ITEM_LIMIT = 1_000_000;

/**
 * A list that comes in pages (tags, catalog): the texts below `key`, at most `most` of them.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export async function fetchList(
  session: Session,
  rules: RetryRules,
  list: {
    readonly target: string;
    readonly key: string;
    readonly scopes: readonly string[];
    readonly what: string;
    readonly most?: number;
  },
): Promise<string[]> {
  const found: string[] = [];
  const most = list.most ?? ITEM_LIMIT;
  for (let target: string | undefined = list.target; target !== undefined && found.length < most;) {
    const page: Page = await fetchPage(session, rules, { ...list, target });
    found.push(...page.items);
    if (found.length > ITEM_LIMIT)
      throw new RegistryError('too-large', `${list.what}: a list of more than ${ITEM_LIMIT}`);
    target = page.items.length === 0 ? undefined : page.next;
  }
  return found.slice(0, most);
}

interface Page {
  readonly items: string[];
  readonly next: string | undefined;
}

function fetchPage(
  session: Session,
  rules: RetryRules,
  { target, key, scopes, what }: { target: string; key: string; scopes: readonly string[]; what: string },
): Promise<Page> {
  return withRetries(rules, async () => {
    const answer = await expect(
      await session.send({ method: 'GET', target, scopes, signal: rules.signal }),
      [200],
      what,
    );
    const document = objectOf(parseDocument((await answer.bytes(PAGE_LIMIT)).toString('latin1'), what), what);
    const items = listOf(document[key] ?? [], `${what}: ${key}`).filter(item => typeof item === 'string');
    return { items, next: nextOf(answer) };
  });
}

/** `Link: </v2/…?n=100&last=x>; rel="next"` (RFC 8288), on the same registry only. */
function nextOf(answer: Answer): string | undefined {
  const { link } = answer.headers;
  const header = Array.isArray(link) ? link.join(', ') : (link ?? '');
  const found = /<([^<>]*)>\s*;[^,<]*\brel="?next"?/i.exec(header)?.[1];
  if (found === undefined) return undefined;
  const url = new URL(found, answer.url);
  if (url.origin !== answer.url.origin)
    throw new RegistryError('policy', `${answer.url.host}: the list goes on at ${url.host}, which is not asked`);
  return `${url.pathname}${url.search}`;
}
