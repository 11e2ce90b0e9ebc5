import { LOAD } from '../command/options-image.ts';
import { lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { ingest, withWork } from '../image/archive/ingest.ts';
import { openArchive, readImages } from '../image/archive/open.ts';
import { ImageError } from '../image/error.ts';
import { checkArchiveTrust } from '../image/registry/trust-policy.ts';
import { openStore } from '../image/store.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';

/** `berth load`: all images of an archive or layout, each whole or not at all. */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, LOAD);
  if (typeof command === 'number') return command;
  const input = lastValue(command, 'input') ?? '-';
  if (input === '-' && host.isTerminal(0))
    throw new ImageError('standard input is a terminal; name an archive: berth load -i FILE');
  const store = openStore(host);
  await withWork(host, store, async work => {
    const members = await openArchive(input, work);
    try {
      const { images, transport } = readImages(members);
      checkArchiveTrust(host, transport, input === '-' ? undefined : (host.realpath(input) ?? input));
      for (const image of images) {
        try {
          await ingest(host, store, work, image, line => say(host, `warning: ${line}`));
        } catch (error) {
          throw error instanceof ImageError ? new ImageError(`${members.name}: ${error.message}`) : error;
        }
        const names = image.names.length > 0 ? image.names : [`sha256:${image.id}`];
        for (const name of names) host.write(1, `Loaded image: ${name}\n`);
      }
    } finally {
      members.close();
    }
  });
  return 0;
}
