import type { Bytes } from '../host/host.ts';
import { typeOf } from '../unit/names.ts';
import { failAt, warnAt } from './model.ts';
import type { Item } from './read.ts';
import type { Referring } from './references.ts';
import { depend } from './service.ts';

/** `Image=`: a name, or a `.image` or `.build` unit with the name of its image. */
export function imageOf(from: Referring, { value, entry }: Item): Bytes {
  const { unit, draft, setting } = from;
  const type = typeOf(value);
  if ((type !== 'image' && type !== 'build') || value.length <= type.length) {
    warnShortName(from, { value, entry });
    return value;
  }
  const found = setting.graph.get(value);
  if (found === undefined) {
    const hint = `no ${value} was found in the search path`;
    failAt(unit, entry, 'reference', `requested Quadlet image ${value} was not found`, { part: value, hint });
    return value;
  }
  unit.references.push({ unit: found, entry });
  depend(draft, found.stem);
  return found.resource ?? '';
}

export function warnShortName({ unit }: Pick<Referring, 'unit'>, { value, entry }: Item): void {
  if (isQualified(value)) return;
  const text = `${unit.name.name} specifies the image "${value}" which not a fully qualified image name. This is not ideal for performance and security reasons. See the podman-pull manpage discussion of short-name-aliases.conf for details.`;
  warnAt(unit, entry, 'short-name', text, { part: value });
}

/** A digest, or a name whose first part can be a registry. Names with specifiers are not judged. */
function isQualified(name: Bytes): boolean {
  if (name.startsWith('sha256:') || (name.length === 64 && /^[0-9a-f]*$/.test(name))) return true;
  const slash = name.indexOf('/');
  if (slash < 0) return false;
  const first = name.slice(0, slash);
  return first.includes('.') || first.includes(':') || first === 'localhost';
}
