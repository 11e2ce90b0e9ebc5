import type { Host } from '../../host/host.ts';
import { listOf, objectOf, parseDocument, textOf } from '../config.ts';
import { endpointsOf, type Endpoint } from './endpoints.ts';
import { RegistryError } from './error.ts';
import { fetchList } from './lists.ts';
import { openConnections, openRepository } from './open.ts';
import type { RegistriesConf } from './registries-conf.ts';
import type { Repository } from './repository.ts';
import { withRetries } from './retry.ts';
import { expect } from './status.ts';
import type { RegistryOptions } from './types.ts';

export interface SearchResult {
  /** `docker.io/library/nginx` */
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly official: boolean;
  readonly automated: boolean;
}

const ANSWER_LIMIT = 8 << 20;

/**
 * Searches one registry: by the search of version 1, which Docker's and some others have, else among the names of the catalog.
 * Throws `unsupported` when it has neither.
 */
export async function searchRegistry(
  host: Host,
  conf: RegistriesConf,
  wanted: { readonly registry: string; readonly term: string; readonly limit: number },
  options: RegistryOptions,
): Promise<SearchResult[]> {
  const { registry, term, limit } = wanted;
  const docker = registry === 'docker.io';
  const own = endpointsOf(conf, { registry, path: term === '' ? 'x' : term, tag: 'latest' }).find(one => !one.mirror);
  const endpoint: Endpoint = {
    host: docker ? 'index.docker.io' : registry,
    path: term,
    insecure: own?.insecure ?? false,
    mirror: false,
  };
  const pool = openConnections(host, [endpoint], options);
  try {
    const repository = openRepository(host, conf, endpoint, pool, options);
    return (
      (await searchFirst(repository, registry, term, limit)) ?? (await searchCatalog(repository, registry, term, limit))
    );
  } finally {
    pool.close();
  }
}

/** undefined when the registry does not have it. https://github.com/moby/moby/blob/v27.0.0/registry/search.go */
function searchFirst(
  { session, rules }: Repository,
  registry: string,
  term: string,
  limit: number,
): Promise<SearchResult[] | undefined> {
  const query = new URLSearchParams({ q: term, n: String(Math.min(limit, 100)) });
  return withRetries(rules, async () => {
    const answer = await session.send({
      method: 'GET',
      target: `/v1/search?${query.toString()}`,
      scopes: [],
      signal: rules.signal,
    });
    if (answer.status === 401 || answer.status === 404 || answer.status === 405 || answer.status === 400) {
      answer.drop();
      return undefined;
    }
    await expect(answer, [200], 'search');
    if (answer.headers['content-type']?.includes('json') !== true) {
      answer.drop();
      return undefined;
    }
    const what = `${registry}: its answer`;
    const document = objectOf(parseDocument((await answer.bytes(ANSWER_LIMIT)).toString('latin1'), what), what);
    return listOf(document['results'] ?? [], what)
      .slice(0, limit)
      .map(one => resultOf(registry, objectOf(one, what)));
  });
}

function resultOf(registry: string, one: Record<string, unknown>): SearchResult {
  const name = textOf(one, 'name');
  const stars = one['star_count'];
  return {
    name: `${registry}/${registry === 'docker.io' && !name.includes('/') ? `library/${name}` : name}`,
    description: textOf(one, 'description').replace(/\s+/g, ' ').trim(),
    stars: typeof stars === 'number' ? stars : 0,
    official: one['is_official'] === true,
    automated: one['is_automated'] === true,
  };
}

/** https://distribution.github.io/distribution/spec/api/#catalog */
async function searchCatalog(
  { session, rules }: Repository,
  registry: string,
  term: string,
  limit: number,
): Promise<SearchResult[]> {
  try {
    const list = {
      target: '/v2/_catalog?n=1000',
      key: 'repositories',
      scopes: ['registry:catalog:*'],
      what: 'catalog',
    };
    const names = await fetchList(session, rules, list);
    return names
      .filter(name => name.includes(term))
      .slice(0, limit)
      .map(name => ({ name: `${registry}/${name}`, description: '', stars: 0, official: false, automated: false }));
  } catch (error) {
    if (!(error instanceof RegistryError) || error.kind !== 'not-found') throw error;
    throw new RegistryError('unsupported', `${registry}: it can neither be searched nor lists its repositories`);
  }
}
