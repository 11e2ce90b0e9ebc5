import type { Host } from '../../host/host.ts';
import { ImageError } from '../error.ts';
import { formatReference, localReference, parseReference, type Reference } from '../reference.ts';
import { tlsMaterial, type TlsMaterial } from './certificates.ts';
import { connections, type Connections } from './connections.ts';
import { findCredentials } from './credentials.ts';
import { apiHost, endpointsOf, isInsecure, type Endpoint } from './endpoints.ts';
import { proxyFor } from './proxy.ts';
import { readRegistriesConf, type RegistriesConf } from './registries-conf.ts';
import { registryOf } from './registry.ts';
import type { Repository } from './repository.ts';
import type { RetryRules } from './retry.ts';
import { openSession } from './session.ts';
import { fullReferences } from './short-names.ts';
import { checkTrust } from './trust-policy.ts';
import type { Registry, RegistryOptions } from './types.ts';

/** One `Registry` for each full reference that a name may mean, likeliest first. Reads files only. Throws `configuration`, `policy`. */
export function openRegistries(host: Host, name: string, options: RegistryOptions = {}): Registry[] {
  const conf = readRegistriesConf(host);
  return fullReferences(conf, name).map(reference => open(host, conf, reference, options));
}

/** The `Registry` of a full reference. */
export function openRegistry(host: Host, fullReference: string, options: RegistryOptions = {}): Registry {
  const reference = parseReference(fullReference);
  if (reference === undefined || reference.registry === '')
    throw new ImageError(`${fullReference}: not the full name of an image`);
  return open(host, readRegistriesConf(host), localReference(reference), options);
}

function open(host: Host, conf: RegistriesConf, reference: Reference, options: RegistryOptions): Registry {
  const endpoints = endpointsOf(conf, reference);
  const pool = openConnections(host, endpoints, options);
  // Another try is another endpoint's while there is one.
  const own = (i: number): RegistryOptions => (i < endpoints.length - 1 ? { retry: 0, ...options } : options);
  const repositories = endpoints.map((endpoint, i) => openRepository(host, conf, endpoint, pool, own(i)));
  return registryOf({
    name: formatReference(reference),
    reference: reference.digest ?? reference.tag,
    repositories,
    note: options.note ?? (() => undefined),
    // Signatures and rejections are about what is fetched, not about what is sent.
    check: () => checkTrust(host, reference),
    close: () => pool.close(),
  });
}

/** Connections to the endpoints, and to where they lead: token services, stores of blobs. */
export function openConnections(host: Host, endpoints: readonly Endpoint[], options: RegistryOptions): Connections {
  const known = new Map(endpoints.map(endpoint => [new URL(`https://${apiHost(endpoint.host)}`).host, endpoint]));
  return connections({
    tls: name => {
      const endpoint = known.get(name);
      if (endpoint !== undefined)
        return tlsMaterial(host, endpoint.host, !isInsecure(endpoint, options), options.certDir);
      return foreignMaterial(host, name, endpoints, options);
    },
    proxy: url => proxyFor(url, name => host.environment(name)),
  });
}

/**
 * A host that a registry sent us to: also believed with the authorities of the registry, but it does not get our client certificate. Unverified
 * with `--tls-verify=false`, and on the host of an insecure registry.
 */
function foreignMaterial(
  host: Host,
  name: string,
  endpoints: readonly Endpoint[],
  options: RegistryOptions,
): TlsMaterial {
  const bare = (text: string): string => text.replace(/:\d+$/, '');
  const same = endpoints.some(one => isInsecure(one, options) && bare(one.host) === bare(name));
  const own = tlsMaterial(host, name, options.tlsVerify ?? !same);
  const theirs = endpoints.flatMap(one => tlsMaterial(host, one.host, true, options.certDir).ca);
  return { ...own, ca: [...new Set([...own.ca, ...theirs])] };
}

export function openRepository(
  host: Host,
  conf: RegistriesConf,
  endpoint: Endpoint,
  pool: Connections,
  options: RegistryOptions,
): Repository {
  const { authfile, creds } = options;
  const wanted = {
    registry: endpoint.host,
    path: endpoint.path,
    ...(creds === undefined || endpoint.mirror ? {} : { creds }),
    ...(authfile === undefined ? {} : { authfile }),
  };
  const session = openSession({
    host: apiHost(endpoint.host),
    insecure: isInsecure(endpoint, options),
    connections: pool,
    credentials: () => findCredentials(host, conf, wanted),
    stall: options.stall ?? (options.hurried === true ? 20 : 60),
  });
  // `localhost/NAME` is how images that were made here are called: mostly nobody serves that, and nobody will in a second.
  const patience = endpoint.host === 'localhost' ? { retry: 0, ...options } : options;
  return { endpoint, session, rules: retryRules(patience, endpoint.mirror) };
}

/** A server that wants to be left alone for longer than `longest` is not waited for. */
export function retryRules(options: RegistryOptions, mirror = false): RetryRules {
  const { retry = 3, retryDelay = 1, waiting = () => undefined, signal, hurried = false } = options;
  const rules = { delay: retryDelay, waiting, signal, random: Math.random };
  return hurried ? { ...rules, retry: Math.min(retry, mirror ? 0 : 1), longest: 5 } : { ...rules, retry, longest: 120 };
}
