import * as http from 'node:http';
import * as https from 'node:https';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import type { TlsMaterial } from './certificates.ts';
import { RegistryError } from './error.ts';
import type { Proxy } from './proxy.ts';

/** Connections to hosts, kept open between requests: one agent for each origin. */
export interface Connections {
  agent(url: URL): { readonly agent: http.Agent; readonly proxy?: Proxy };
  close(): void;
}

export interface ConnectionFacts {
  /** Certificates for `HOST[:PORT]`. */
  readonly tls: (host: string) => TlsMaterial;
  readonly proxy: (url: URL) => Proxy | undefined;
}

/** Layers come side by side; a registry sees no more connections than this. */
const PARALLEL = 8;
const OPTIONS: https.AgentOptions = {
  keepAlive: true,
  maxSockets: PARALLEL,
  scheduling: 'fifo',
  // Node's 250 ms for each address of a host is less than one round trip of a bad line.
  autoSelectFamilyAttemptTimeout: 3000,
};

export function connections(facts: ConnectionFacts): Connections {
  const agents = new Map<string, { agent: http.Agent; proxy?: Proxy }>();
  return {
    agent(url) {
      const known = agents.get(url.origin);
      if (known !== undefined) return known;
      const proxy = facts.proxy(url);
      const agent = url.protocol === 'https:' ? secureAgent(url.host, facts.tls(url.host), proxy) : plainAgent(proxy);
      const made = proxy === undefined ? { agent } : { agent, proxy };
      agents.set(url.origin, made);
      return made;
    },
    close() {
      for (const { agent } of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

function plainAgent(proxy: Proxy | undefined): http.Agent {
  return proxy?.url.protocol === 'https:' ? new https.Agent(OPTIONS) : new http.Agent(OPTIONS);
}

function secureAgent(host: string, material: TlsMaterial, proxy: Proxy | undefined): https.Agent {
  const options = { ...OPTIONS, ...tlsOptions(host, material) };
  return proxy === undefined ? new https.Agent(options) : new TunnelAgent(options, proxy);
}

/** The certificates are read once for all connections: that takes 10 ms. */
function tlsOptions(host: string, material: TlsMaterial): https.AgentOptions {
  const { ca, cert, key, verify } = material;
  try {
    const secureContext = tls.createSecureContext({
      // Without a list Node reads those that it brings, 7 ms, for nothing where whoever answers is believed.
      ca: verify ? [...ca] : [],
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      minVersion: 'TLSv1.2',
    });
    return { secureContext, rejectUnauthorized: verify };
  } catch (error) {
    throw new RegistryError(
      'configuration',
      `${host}: the certificates of certs.d or --cert-dir for it cannot be used: ${error instanceof Error ? error.message.split('\n')[0] : ''}`,
    );
  }
}

type Made = (error: Error | null, socket: Duplex) => void;

/** TLS through a proxy's CONNECT (RFC 9110, 9.3.6). */
class TunnelAgent extends https.Agent {
  readonly #proxy: Proxy;
  constructor(options: https.AgentOptions, proxy: Proxy) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(options: https.RequestOptions, callback?: Made): undefined {
    const done = callback as unknown as (error: Error | null, socket?: Duplex) => void;
    const target = `${options.host ?? ''}:${options.port ?? 443}`;
    const { url, authorization } = this.#proxy;
    const request = (url.protocol === 'https:' ? https : http).request({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port,
      method: 'CONNECT',
      path: target,
      agent: false,
      headers: { host: target, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) },
    });
    request.setTimeout(30_000, () =>
      request.destroy(new RegistryError('proxy', `${target}: the proxy ${url.host} does not answer`)),
    );
    request.once('error', error =>
      done(
        error instanceof RegistryError
          ? error
          : new RegistryError(
              'proxy',
              `${target}: the proxy ${url.host}: ${(error as NodeJS.ErrnoException).code ?? error.message}`,
            ),
      ),
    );
    request.once('connect', (response, socket) => {
      if (response.statusCode === 200) {
        socket.setTimeout(0);
        done(null, tls.connect({ ...(options as tls.ConnectionOptions), socket }));
        return;
      }
      socket.destroy();
      done(refusal(`${target}: the proxy ${url.host}`, response.statusCode ?? 0));
    });
    request.end();
  }
}

function refusal(who: string, status: number): RegistryError {
  return status === 407
    ? new RegistryError(
        'configuration',
        `${who} wants a user name and a password that it knows (407); write HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT`,
      )
    : new RegistryError('proxy', `${who} refuses the connection (${status})`);
}
