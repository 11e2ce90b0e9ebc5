import { createHash } from 'node:crypto';
import { listOf, objectOf, parseDocument, parseImageConfig } from '../config.ts';
import { ImageError } from '../error.ts';
import { dockerReference, formatReference, parseReference } from '../reference.ts';
import { DOCUMENT_LIMIT, type ArchiveImage, type Members } from './types.ts';

/** The images of an archive of `docker save`: manifest.json is a list of {Config, RepoTags, Layers}. */
export function dockerImages(members: Members): ArchiveImage[] {
  const manifest = parseDocument(members.read('manifest.json', DOCUMENT_LIMIT), `${members.name}: manifest.json`);
  return listOf(manifest, `${members.name}: manifest.json`).map(entry => dockerImage(members, entry));
}

function dockerImage(members: Members, entry: unknown): ArchiveImage {
  const where = `${members.name}: manifest.json`;
  const image = objectOf(entry, `${where}: an image`);
  const configuration = members.read(memberName(image['Config'], where), DOCUMENT_LIMIT);
  const facts = parseImageConfig(configuration);
  const layers = listOf(image['Layers'] ?? [], `${where}: Layers`).map(name => ({
    place: members.place(memberName(name, where)),
  }));
  if (layers.length !== facts.layers.length) {
    throw new ImageError(
      `${where}: ${layers.length} layers, but the image's configuration lists ${facts.layers.length}`,
    );
  }
  const names = listOf(image['RepoTags'] ?? [], `${where}: RepoTags`).map(tag => {
    const reference = typeof tag === 'string' ? parseReference(tag) : undefined;
    if (reference === undefined) throw new ImageError(`${where}: ${JSON.stringify(tag)} is no name of an image`);
    return formatReference(dockerReference(reference));
  });
  const id = createHash('sha256').update(Buffer.from(configuration, 'latin1')).digest('hex');
  return { id, configuration, facts, layers, names };
}

function memberName(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') throw new ImageError(`${where}: a member's name is missing`);
  return value.replace(/^\.\//, '');
}
