import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'node:test';
import { fakeHost, type FakeHost } from '../../../../src/host/fake.ts';
import type { Registry } from '../../../../src/image/registry/types.ts';
import type { Digest } from '../../../../src/image/types.ts';

/** A registry on loopback that does exactly what a test says, however wrong. */
export interface Server {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly url: string;
  /** `METHOD PATH` of each request, in order. */
  readonly log: string[];
  readonly headers: http.IncomingHttpHeaders[];
  close(): Promise<void>;
}

export type Handler = (request: http.IncomingMessage, response: http.ServerResponse, count: number) => void;

export function serve(handler: Handler): Promise<Server> {
  return listen(http.createServer(), 'http', handler);
}

export function serveTls(handler: Handler, pair: Pair, options: https.ServerOptions = {}): Promise<Server> {
  return listen(https.createServer({ ...pair, ...options }), 'https', handler);
}

async function listen(server: http.Server | https.Server, scheme: string, handler: Handler): Promise<Server> {
  const log: string[] = [];
  const headers: http.IncomingHttpHeaders[] = [];
  const counts = new Map<string, number>();
  server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    const line = `${request.method ?? ''} ${request.url ?? ''}`;
    log.push(line);
    headers.push(request.headers);
    counts.set(line, (counts.get(line) ?? 0) + 1);
    handler(request, response, counts.get(line) ?? 0);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): Promise<void> =>
    new Promise(resolve => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { host, url: `${scheme}://${host}`, log, headers, close };
}

export interface Pair {
  readonly key: string;
  readonly cert: string;
}

/** A self-signed certificate for 127.0.0.1. */
export function makeCertificate(name = 'IP:127.0.0.1'): Pair {
  const directory = mkdtempSync(join(tmpdir(), 'berth-tls-'));
  try {
    const [key, cert] = [join(directory, 'key'), join(directory, 'cert')];
    const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync(
      'openssl',
      [...words, '-keyout', key, '-out', cert, '-subj', '/CN=test', '-addext', `subjectAltName=${name}`],
      {
        stdio: 'ignore',
      },
    );
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export function sha256(data: string | Buffer): Digest {
  return `sha256:${createHash('sha256').update(data).digest('hex')}` as Digest;
}

export function answer(
  response: http.ServerResponse,
  status: number,
  body: string | Buffer = '',
  headers: http.OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';
export const CONFIG = 'application/vnd.oci.image.config.v1+json';
export const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

export function manifest(layer: Buffer, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: CONFIG, digest: sha256('{}'), size: 2 },
    layers: [{ mediaType: LAYER, digest: sha256(layer), size: layer.length }],
    ...more,
  });
}

/** The host of a test: registries.conf says that these servers are spoken to without TLS. */
export function hostFor(
  servers: readonly Server[],
  more: { files?: Record<string, string>; environment?: Record<string, string>; uid?: number } = {},
): FakeHost {
  const tables = servers.map(server => `[[registry]]\nlocation = "${server.host}"\ninsecure = true\n`).join('');
  const files = { '/etc/containers/registries.conf': tables, ...more.files };
  return fakeHost({
    files,
    environment: more.environment ?? {},
    uid: more.uid ?? 0,
    calls: { access: path => path in files },
  });
}

/** What a test file opens, closed after each test: servers, and clients of them. */
export function openings(): { servers: Server[]; opened: Registry[]; start: (handler: Handler) => Promise<Server> } {
  const servers: Server[] = [];
  const opened: Registry[] = [];
  afterEach(async () => {
    for (const registry of opened.splice(0)) registry.close();
    await Promise.all(servers.splice(0).map(server => server.close()));
  });
  const start = async (handler: Handler): Promise<Server> => {
    const server = await serve(handler);
    servers.push(server);
    return server;
  };
  return { servers, opened, start };
}
