import type { Bytes } from '../host/host.ts';
import { lastEntry } from '../unit/document.ts';
import { execLine } from '../unit/write.ts';
import type { Draft, Setting, Unit } from './model.ts';
import { readWords } from './read.ts';

/** Fields of the journal, where systemd can know them. The user manager does not hand fields to the journal. */
export function logFields(unit: Unit, draft: Draft, setting: Setting, name: Bytes, image: Bytes | undefined): void {
  if (setting.user || lastEntry(unit.service, 'LogExtraFields') !== undefined || name.includes('$')) return;
  const fields = [`CONTAINER_NAME=${name}`];
  if (image !== undefined && !image.includes('$')) fields.push(`IMAGE_NAME=${image}`);
  const tag = logTag(unit, name, image ?? '');
  if (tag !== '' && !tag.includes('$')) fields.push(`CONTAINER_TAG=${tag}`);
  draft.lines.push(`LogExtraFields=${execLine(fields)}`);
}

/** `LogOpt=tag=…`; of the peer's templates those that can be known before a start. */
function logTag(unit: Unit, name: Bytes, image: Bytes): Bytes {
  let tag = '';
  for (const { value } of readWords(unit, 'LogOpt')) if (value.startsWith('tag=')) tag = value.slice(4);
  return tag.replace(/\{\{ *\.Name *\}\}/g, () => name).replace(/\{\{ *\.ImageName *\}\}/g, () => image);
}
