import type { Bytes } from '../host/host.ts';
import { literal } from './write.ts';

/** True when a value starts with a specifier of systemd (`%` that is not `%%`): its path is known at run time only. */
export function startsWithSpecifier(value: Bytes): boolean {
  return value.charCodeAt(0) === 37 && value.length > 1 && value.charCodeAt(1) !== 37;
}

/** True when the text changes at run time: a specifier or a variable is in it. */
export function isExpanded(value: Bytes): boolean {
  return value.includes('%') || value.includes('$');
}

/**
 * A relative path of a unit file made absolute: joined to the directory of the file and cleaned. The directory is taken as it is, so `$` and `%`
 * in its name are doubled; those of the value stay.
 */
export function absolute(value: Bytes, directory: Bytes): Bytes {
  if (value.startsWith('/') || startsWithSpecifier(value)) return value;
  return clean(`${literal(directory)}/${value}`);
}

/** Lexically cleaned: no `//`, `.` and `..`. */
export function clean(path: Bytes): Bytes {
  if (!path.includes('/.') && !path.includes('//') && !path.endsWith('/')) return path;
  const parts: Bytes[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
