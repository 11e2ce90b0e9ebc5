import type { Host, SpawnResult } from '../host/host.ts';
import type { User } from '../host/users.ts';
import type { Handover } from '../image/adopt.ts';
import { documentsOf, findBlob, findLayer } from '../image/additional.ts';
import { parseDigest } from '../image/digest.ts';
import { ImageError } from '../image/error.ts';
import { lockImage } from '../image/lock.ts';
import { candidates, parseReference } from '../image/reference.ts';
import { findImage, findImageId } from '../image/resolve.ts';
import { storeDirectory } from '../image/store.ts';
import type { Digest, ImageRecord } from '../image/types.ts';
import { listNames } from '../image/names.ts';

/**
 * Hands an image of root's store over to an account's, when that lacks it: root writes each layer as a tar stream into a pipe, and
 * `berth layer`, running as the account, makes of it what it would make of any archive. Root writes nothing below the account's
 * directories. An image that root lacks is no failure: the account may have or load its own.
 */
export function handOver(host: Host, user: User, reference: string): void {
  const store = storeDirectory(host);
  const id = findImageId(host, store, reference);
  const lock = id === undefined ? undefined : lockImage(host, store, id, false, true);
  try {
    const found = findImage(host, store, reference);
    if (found === undefined) return;
    const { record } = found;
    const name = fullName(host, found.store, reference, record);
    const answer = asAccount(host, user, [
      'missing',
      `name=${name}`,
      `id=${record.id}`,
      ...record.layers.map(layer => `layer=${layer}`),
    ]).trim();
    if (answer === 'whole') return;
    for (const line of answer === '' ? [] : answer.split('\n')) {
      const diffId = parseDigest(line);
      if (diffId !== undefined && record.layers.includes(diffId)) sendLayer(host, user, store, diffId);
    }
    const documents = documentsOf(record).flatMap((digest): [string, string][] => {
      const bytes = findBlob(host, found.store, digest);
      return bytes === undefined ? [] : [[digest, bytes]];
    });
    const handover: Handover = { record, documents, name };
    asAccount(host, user, ['adopt-image'], JSON.stringify(handover));
  } finally {
    lock?.release();
  }
}

/** The name under which the account will look for it. */
function fullName(host: Host, store: string, reference: string, record: ImageRecord): string {
  const names = listNames(host, store).filter(name => name.id === record.id);
  const parsed = parseReference(reference);
  const wanted = parsed === undefined ? [] : candidates(parsed);
  const name = names.find(one => wanted.includes(one.reference)) ?? names[0];
  if (name === undefined)
    throw new ImageError(`${reference}: give the image a name first: berth tag ${reference} NAME`);
  return name.reference;
}

function sendLayer(host: Host, user: User, store: string, diffId: Digest): void {
  const directory = findLayer(host, store, diffId)?.directory;
  if (directory === undefined) throw new ImageError(`layer ${diffId.slice(0, 19)}: it is missing`);
  const [read, write] = host.pipe();
  let producer;
  try {
    producer = host.spawn({
      argv: [host.readlink('/proc/self/exe'), 'layer', 'export', `source=${directory}`],
      stdout: write,
    });
  } finally {
    host.close(write);
  }
  try {
    check(user, runAs(host, user, ['adopt', `as=${diffId}`], read));
  } finally {
    host.close(read);
    // How it ended does not matter: a stream that was cut off is refused by the other end.
    host.wait(producer);
    host.close(producer.pidfd);
  }
}

function asAccount(host: Host, user: User, words: readonly string[], input?: string): string {
  return check(user, runAs(host, user, words, input));
}

/** `berth layer …` with the account's ids, no groups, and the environment that the account's units have. */
function runAs(host: Host, user: User, words: readonly string[], input?: string | number): SpawnResult {
  const program = host.readlink('/proc/self/exe');
  const state = host.environment('STATE_DIRECTORY');
  return host.run({
    argv: ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', program, 'layer', ...words],
    environment: [
      `HOME=${user.home}`,
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      ...(state === undefined ? [] : [`STATE_DIRECTORY=${state}`]),
    ],
    ...(input === undefined ? {} : { input }),
    stdout: 'capture',
    stderr: 'capture',
  });
}

function check(user: User, end: SpawnResult): string {
  if (end.status === 0) return end.stdout;
  const line = end.stderr.split('\n')[0]?.replace(/^berth: (layer: )?/, '') ?? '';
  throw new ImageError(`handing the image to ${user.name}: ${line === '' ? "the account's half failed" : line}`);
}
