import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { parseDocument } from '../config.ts';
import { ImageError } from '../error.ts';
import { parseDigest } from '../digest.ts';
import type { ArchiveTransport } from '../registry/trust-policy.ts';
import { directoryMembers } from './directory-members.ts';
import { dockerImages } from './docker.ts';
import { manifestImage, ociImages } from './oci.ts';
import { plainFile } from './spool.ts';
import { tarMembers } from './tar-members.ts';
import { DOCUMENT_LIMIT, type ArchiveImage, type Members } from './types.ts';

/**
 * Opens what `load` was given (a byte string): a file (`-`: standard input) with a docker-archive or oci-archive, compressed or not, or a
 * directory with an OCI layout or Podman's docker-dir. `work` is a directory for what must be unpacked first.
 */
export async function openArchive(input: string, work: string): Promise<Members> {
  if (input !== '-' && statSync(Buffer.from(input, 'latin1'), { throwIfNoEntry: false })?.isDirectory() === true)
    return directoryMembers(input);
  const name = input === '-' ? 'standard input' : input;
  return tarMembers(await plainFile(input, name, work), name);
}

/** All images of it, each checked against its digests as far as that goes without unpacking; and which form it has. */
export function readImages(members: Members): { images: ArchiveImage[]; transport: ArchiveTransport } {
  if (members.has('manifest.json')) {
    const bytes = members.read('manifest.json', DOCUMENT_LIMIT);
    const isList = Array.isArray(parseDocument(bytes, `${members.name}: manifest.json`));
    if (isList) return { images: dockerImages(members), transport: 'docker-archive' };
    return { images: [directoryImage(members, bytes)], transport: 'dir' };
  }
  if (members.has('index.json'))
    return { images: ociImages(members), transport: members.kind === 'directory' ? 'oci' : 'oci-archive' };
  throw new ImageError(
    `${members.name}: no image: neither manifest.json nor index.json is in it; for a root file system use 'berth import'`,
  );
}

/** `podman save --format docker-dir`: the blobs are named by the digits of their digests. */
function directoryImage(members: Members, bytes: string): ArchiveImage {
  const digest = parseDigest(`sha256:${createHash('sha256').update(Buffer.from(bytes, 'latin1')).digest('hex')}`);
  if (digest === undefined) throw new ImageError(`${members.name}: manifest.json has no digest`);
  return manifestImage(members, blob => blob.slice(7), { digest, bytes }, []);
}
