import type { Host } from '../../host/host.ts';
import { parseReference } from '../reference.ts';
import type { Credentials } from './credentials.ts';
import { endpointsOf, type Endpoint } from './endpoints.ts';
import { RegistryError } from './error.ts';
import { openConnections, openRepository } from './open.ts';
import type { RegistriesConf } from './registries-conf.ts';
import { withRetries } from './retry.ts';
import { openSession } from './session.ts';
import { failureOf } from './status.ts';
import type { RegistryOptions } from './types.ts';

/** What `login` and `logout` are about: a registry, or a part of one. */
export interface LoginName {
  /** Key in the files: `quay.io`, `quay.io/team`. */
  readonly key: string;
  readonly registry: string;
  readonly path: string;
}

/** Reads `HOST[:PORT][/PATH]`; none: the first of the registries to be searched. */
export function parseLoginName(conf: RegistriesConf, text: string | undefined): LoginName {
  const name = text ?? conf.search[0];
  if (name === undefined)
    throw new RegistryError('configuration', `name a registry; ${conf.file} has no search registry to take instead`);
  const bare = name.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  const registry = slash < 0 ? bare : bare.slice(0, slash);
  const path = slash < 0 ? '' : bare.slice(slash + 1);
  const parsed = parseReference(`${registry}/${path === '' ? 'x' : path}`);
  if (bare !== name || parsed?.registry !== registry || /[:@]/.test(path))
    throw new RegistryError('configuration', `${name}: not a registry; write HOST, HOST:PORT or HOST/PATH`);
  return { key: bare, registry, path };
}

/** Whether the registry accepts the credentials: `GET /v2/`, with a token where it wants one. Throws `unauthorized` when not. */
export async function checkLogin(
  host: Host,
  conf: RegistriesConf,
  name: LoginName,
  credentials: Credentials,
  options: RegistryOptions,
): Promise<void> {
  const endpoint = loginEndpoint(conf, name);
  const pool = openConnections(host, [endpoint], options);
  try {
    const { rules } = openRepository(host, conf, endpoint, pool, options);
    const session = openSession({
      host: endpoint.host === 'docker.io' ? 'registry-1.docker.io' : endpoint.host,
      insecure: options.tlsVerify === undefined ? endpoint.insecure : !options.tlsVerify,
      connections: pool,
      credentials: () => credentials,
      stall: options.stall ?? 60,
    });
    await withRetries(rules, async () => {
      const answer = await session.send({ method: 'GET', target: '/v2/', scopes: [], signal: rules.signal });
      if (answer.status === 200) return answer.drop();
      if (answer.status !== 401 && answer.status !== 403) throw await failureOf(answer, 'login');
      answer.drop();
      throw new RegistryError('unauthorized', `${name.registry}: invalid user name or password`);
    });
  } finally {
    pool.close();
  }
}

function loginEndpoint(conf: RegistriesConf, { registry, path }: LoginName): Endpoint {
  const reference = { registry, path: path === '' ? 'x' : path, tag: 'latest' };
  const own = endpointsOf(conf, reference).find(one => !one.mirror && one.host === registry);
  return { host: registry, path, insecure: own?.insecure ?? false, mirror: false };
}
