import { mkdirSync } from 'node:fs';
import { RMI } from '../command/options-image.ts';
import { isSet } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { withWork } from '../image/archive/ingest.ts';
import { ImageError } from '../image/error.ts';
import { imagePath, listImages, readImage } from '../image/images.ts';
import { lockImage, removeImageLock } from '../image/lock.ts';
import { listNames, removeName } from '../image/names.ts';
import { removePulled } from '../image/pulled.ts';
import { removeImage } from '../image/remove.ts';
import { candidates, parseReference } from '../image/reference.ts';
import { findImage, findImageId } from '../image/resolve.ts';
import { openStore } from '../image/store.ts';
import { listContainers } from '../run/containers.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';
import { imagesOf, volumesOn } from './used-images.ts';

/** An image that stays, and the exit status for it (podman-rmi(1)): 1 it is not there, 2 a container or a volume uses it. */
class NotRemoved extends ImageError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * `berth rmi`: takes a name away, or with the last name the image. What a container uses stays, and the container is named. The exit status
 * is the greatest of them: 1 an image is not there, 2 it is used, 125 anything else.
 */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, RMI);
  if (typeof command === 'number') return command;
  const store = openStore(host);
  const all = isSet(command, 'all');
  if (all && command.operands.length > 0) throw new ImageError('--all and names of images exclude each other');
  if (!all && command.operands.length === 0) throw new ImageError('name at least one image');
  const words = all ? listImages(host, store).map(record => record.id) : command.operands;
  const options = { force: all || isSet(command, 'force'), ignore: isSet(command, 'ignore') };
  let status = 0;
  await withWork(host, store, work => {
    for (const [index, word] of words.entries()) {
      const trash = `${work}/${index}`;
      mkdirSync(trash, { mode: 0o700 });
      try {
        removeOne(host, store, word, trash, options);
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        say(host, error.message);
        status = Math.max(status, error instanceof NotRemoved ? error.status : 125);
      }
    }
    return Promise.resolve();
  });
  return status;
}

function removeOne(
  host: Host,
  store: string,
  word: string,
  trash: string,
  options: { force: boolean; ignore: boolean },
): void {
  const id = findImageId(host, store, word);
  if (id === undefined) {
    const elsewhere = findImage(host, store, word);
    if (elsewhere !== undefined)
      throw new ImageError(`${word}: it is in ${elsewhere.store}, an additional store, which is only read`);
    if (options.ignore) return;
    throw new NotRemoved(1, `${word}: no such image in ${store}`);
  }
  const lock = lockImage(host, store, id, true, false);
  if (lock === undefined) throw new ImageError(`${word}: a container is being started from this image`);
  try {
    const names = listNames(host, store).filter(name => name.id === id);
    const named = names.filter(name => isNamed(name.reference, word));
    const removed = named.length > 0 && !options.force ? named : names;
    if (named.length === 0 && names.length > 1 && !options.force) {
      throw new ImageError(
        `${word}: has several names (${names.map(name => name.reference).join(', ')}); name one, or use --force for all`,
      );
    }
    if (removed.length === names.length) refuseUsed(host, store, word, id);
    for (const { reference } of removed) {
      removeName(host, store, reference);
      removePulled(host, store, reference);
      host.write(1, `Untagged: ${reference}\n`);
    }
    if (removed.length < names.length) return;
    const record = readImage(host, store, id);
    if (record === undefined) host.unlink(imagePath(store, id));
    else removeImage(host, store, record, trash);
    removeImageLock(host, store, id);
    host.write(1, `Deleted: ${id}\n`);
  } finally {
    lock.release();
  }
}

function refuseUsed(host: Host, store: string, word: string, id: string): void {
  const users = listContainers(host).filter(({ state }) => state !== undefined && imagesOf(state).includes(id));
  refuseFor(
    word,
    'container',
    users.map(container => container.name),
    'rm --force',
  );
  refuseFor(word, 'volume', volumesOn(host, store, id), 'volume rm');
}

function refuseFor(word: string, kind: string, users: readonly string[], removal: string): void {
  if (users.length === 0) return;
  const [what, them] = users.length === 1 ? [kind, 'it'] : [`${kind}s`, 'them'];
  throw new NotRemoved(
    2,
    `${word}: used by the ${what} ${users.join(', ')}; remove ${them} first: berth ${removal} ${users.join(' ')}`,
  );
}

/** The word was a name, and this is what it names. */
function isNamed(reference: string, word: string): boolean {
  const parsed = parseReference(word);
  if (parsed === undefined) return false;
  return (
    candidates(parsed).includes(reference) ||
    (parsed.registry === '' && reference.endsWith(`/${parsed.path}:${parsed.tag}`))
  );
}
