import { encodeText } from '../base/text.ts';
import type { Bytes } from '../host/host.ts';

/** A file from a server, under the name that it gets. */
export interface Downloaded {
  readonly name: Bytes;
  readonly text: Bytes;
}

/** Larger answers are no unit files. */
const LARGEST = 16 * 1024 * 1024;
const MOST_REDIRECTS = 5;
const PATIENCE = 60_000;

/**
 * Fetches a unit file by http or https. Its name is that of Content-Disposition, otherwise the last part of the address that was asked for. Throws an Error
 * whose message is for people: no answer, a status that is no success, more than 16 MiB, a redirection from https to http, no usable name.
 */
export async function download(url: Bytes): Promise<Downloaded> {
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    const answer = await follow(new URL(url), signal);
    const name = nameOf(answer.headers.get('content-disposition') ?? '', url);
    return { name, text: await textOf(answer) };
  } catch (error) {
    if (signal.aborted) throw new Error(`no whole answer within ${PATIENCE / 1000} s`, { cause: error });
    throw error;
  }
}

async function follow(url: URL, signal: AbortSignal, hops = 0): Promise<Response> {
  const answer = await ask(url, signal);
  const target = answer.headers.get('location');
  if (answer.status >= 300 && answer.status < 400 && target !== null) {
    await answer.body?.cancel();
    if (hops === MOST_REDIRECTS) throw new Error(`more than ${MOST_REDIRECTS} redirections`);
    const next = new URL(target, url);
    if (next.protocol !== 'https:' && next.protocol !== url.protocol)
      throw new Error(`redirected to ${next.href}, which is not https`);
    return follow(next, signal, hops + 1);
  }
  if (answer.ok) return answer;
  await answer.body?.cancel();
  throw new Error(`the server says ${answer.status}${answer.statusText === '' ? '' : ` ${answer.statusText}`}`);
}

async function ask(url: URL, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { signal, redirect: 'manual' });
  } catch (error) {
    throw withReason(error, '');
  }
}

/** fetch says `fetch failed`, and of a body `terminated`; it keeps the reason to itself. */
function withReason(error: unknown, before: string): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return error;
  const { code } = cause as { readonly code?: string };
  return new Error(`${before}${cause.message === '' ? (code ?? cause.name) : cause.message}`, { cause: error });
}

async function textOf(answer: Response): Promise<Bytes> {
  const pieces: Buffer[] = [];
  let size = 0;
  const announced = Number(answer.headers.get('content-length') ?? '0');
  const body: AsyncIterable<Uint8Array> | null = answer.body;
  if (announced <= LARGEST && body !== null) {
    try {
      for await (const piece of body) {
        size += piece.length;
        if (size > LARGEST) break;
        pieces.push(Buffer.from(piece));
      }
    } catch (error) {
      throw withReason(error, `the answer broke off after ${size} bytes: `);
    }
  } else await answer.body?.cancel();
  if (Math.max(size, announced) > LARGEST) throw new Error('the file is larger than 16 MiB');
  return Buffer.concat(pieces).toString('latin1');
}

/** The last part of the name only, whatever directory the server or the address writes in front of it. */
function nameOf(disposition: string, url: Bytes): Bytes {
  const extended = /filename\*=UTF-8''([^;\s]+)/i.exec(disposition)?.[1];
  const plain = /filename="([^"]*)"|filename=([^;\s]+)/i.exec(disposition);
  const given = extended === undefined ? (plain?.[1] ?? plain?.[2]) : decodeURIComponent(extended);
  const path = given ?? decodeURIComponent(new URL(url).pathname);
  const name = encodeText(path.slice(path.lastIndexOf('/') + 1));
  if (name === '' || name.startsWith('.')) throw new Error('it gives no name of a file');
  if (/[\x00-\x1f\x7f]/.test(name)) throw new Error('its name has control characters');
  return name;
}
