import * as http from 'node:http';
import * as https from 'node:https';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { version } from '../../base/version.ts';
import type { Connections } from './connections.ts';
import { networkError, RegistryError } from './error.ts';
import type { Source } from './types.ts';

export interface Body {
  readonly source: Source;
  /** Bytes; known before the first is sent. */
  readonly length: number;
}

/** A body that is in memory. */
export function wholeBody(bytes: Buffer): Body {
  return { length: bytes.length, source: () => Readable.from([bytes]) as AsyncIterable<Buffer> };
}

export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly url: URL;
  /** Chunks as they come; each wait is limited by the stall limit. Not reading to the end closes the connection. */
  body(): AsyncGenerator<Buffer, void, undefined>;
  /** The body as one piece; `too-large` above `limit` bytes. */
  bytes(limit: number): Promise<Buffer>;
  /** Lets go of the body. */
  drop(): void;
}

/** Bytes of an answer's head. */
const HEAD_LIMIT = 32 << 10;
const CONNECT_SECONDS = 30;

/** One request and the head of its answer. Redirects and credentials are not its matter. `stall` in seconds. */
export async function exchange(connections: Connections, request: Exchange, stall: number): Promise<Answer> {
  const { url, signal } = request;
  if (isAborted(signal)) throw aborted(url);
  const outgoing = begin(connections, request);
  // One timer for connecting, sending and waiting for the head; every sign of life starts it again.
  let timer: NodeJS.Timeout | undefined;
  let connecting: NodeJS.Timeout | undefined;
  const begun = (): void => {
    timer = setTimeout(() => outgoing.destroy(silence(url, outgoing, stall)), stall * 1000);
    connecting = setTimeout(() => {
      if (outgoing.socket?.connecting !== false)
        outgoing.destroy(new RegistryError('offline', `${url.host}: the connection takes too long`));
    }, CONNECT_SECONDS * 1000);
  };
  // Before it has a socket it waits for one that others of ours have; through a proxy, for the proxy.
  if (connections.agent(url).proxy === undefined) outgoing.once('socket', begun);
  else begun();
  const stop = (): void => void outgoing.destroy(aborted(url));
  signal?.addEventListener('abort', stop, { once: true });
  const finish = (): void => signal?.removeEventListener('abort', stop);
  try {
    const [incoming] = await Promise.all([headOf(outgoing), send(outgoing, request, () => timer?.refresh())]);
    outgoing.on('error', () => undefined);
    return answerOf(request, incoming, stall, finish);
  } catch (error) {
    finish();
    outgoing.destroy();
    throw isAborted(signal) ? aborted(url) : networkError(url.host, error);
  } finally {
    clearTimeout(timer);
    clearTimeout(connecting);
  }
}

function begin(connections: Connections, { method, url, headers = {}, body }: Exchange): http.ClientRequest {
  const { agent, proxy } = connections.agent(url);
  const throughProxy = proxy !== undefined && url.protocol === 'http:' ? proxy : undefined;
  const target = throughProxy?.url ?? url;
  const length = body?.length ?? (method === 'POST' || method === 'PUT' || method === 'PATCH' ? 0 : undefined);
  return (target.protocol === 'https:' ? https : http).request({
    agent,
    method,
    host: target.hostname.replace(/^\[|\]$/g, ''),
    port: target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : target.port,
    path: throughProxy === undefined ? `${url.pathname}${url.search}` : url.href,
    maxHeaderSize: HEAD_LIMIT,
    headers: {
      host: url.host,
      'user-agent': `berth/${version()}`,
      ...(throughProxy?.authorization === undefined ? {} : { 'proxy-authorization': throughProxy.authorization }),
      ...(length === undefined ? {} : { 'content-length': String(length) }),
      ...headers,
    },
  });
}

function headOf(outgoing: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
    // Without an event of its own, a request that is destroyed before it has a socket would never settle.
    outgoing.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
  });
}

/** A server may answer, and close, before it has read all: then its answer counts, not the write that failed. */
async function send(outgoing: http.ClientRequest, { body }: Exchange, alive: () => void): Promise<void> {
  if (body === undefined) {
    outgoing.end();
    return;
  }
  const answered = new Promise<void>(resolve => outgoing.once('response', () => resolve()));
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of body.source()) {
      alive();
      yield chunk;
    }
  };
  const sent = pipeline(Readable.from(counted(), { objectMode: false, highWaterMark: 256 << 10 }), outgoing);
  await Promise.race([sent, answered]);
  sent.catch(() => undefined);
}

function answerOf(
  { url, signal }: Exchange,
  incoming: http.IncomingMessage,
  stall: number,
  finish: () => void,
): Answer {
  incoming.once('close', finish);
  incoming.on('error', () => undefined);
  const answer: Answer = {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    url,
    body: () => readBody(url, incoming, stall, signal),
    async bytes(limit) {
      const parts: Buffer[] = [];
      let total = 0;
      for await (const part of answer.body()) {
        total += part.length;
        if (total > limit) throw new RegistryError('too-large', `${url.host}: an answer of more than ${limit} bytes`);
        parts.push(part);
      }
      return Buffer.concat(parts);
    },
    drop: () => void incoming.destroy(),
  };
  return answer;
}

/** The stall limit counts while we wait for the server, not while the reader of the chunks takes its time. */
async function* readBody(
  url: URL,
  incoming: http.IncomingMessage,
  stall: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  let waiting = true;
  const timer = setTimeout(() => {
    if (waiting) incoming.destroy(new RegistryError('stalled', `${url.host}: no bytes for ${stall} s`));
    else timer.refresh();
  }, stall * 1000);
  try {
    for await (const chunk of incoming) {
      waiting = false;
      yield chunk as Buffer;
      waiting = true;
      timer.refresh();
    }
    if (!incoming.complete) throw new RegistryError('broken', `${url.host}: the connection was cut off`);
  } catch (error) {
    throw isAborted(signal) ? aborted(url) : networkError(url.host, error);
  } finally {
    clearTimeout(timer);
    incoming.destroy();
  }
}

function silence(url: URL, outgoing: http.ClientRequest, stall: number): RegistryError {
  if (outgoing.socket?.connecting !== false)
    return new RegistryError('offline', `${url.host}: the connection takes too long`);
  return new RegistryError('stalled', `${url.host}: no answer for ${stall} s`);
}

function aborted(url: URL): RegistryError {
  return new RegistryError('aborted', `${url.host}: given up`);
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
