import { ImageError } from '../image/error.ts';
import { formatReference, localReference, parseReference } from '../image/reference.ts';

/** The full name that an image made here gets: `app` is `localhost/app:latest`. Throws ImageError for what is no name, or one of a digest. */
export function fullName(text: string): string {
  const parsed = parseReference(text);
  if (parsed === undefined || parsed.digest !== undefined)
    throw new ImageError(`${text}: not a name for an image; write NAME or NAME:TAG in lower case`);
  return formatReference(localReference(parsed));
}
