import type { Bytes } from '../host/host.ts';
import { splitWords } from '../unit/values.ts';
import type { Unit } from './model.ts';

/** What is wrong with a value, behind the name of its key. `optional`: systemd passes over the line, and loads the unit. */
export interface Fault {
  readonly what: string;
  readonly hint: string;
  readonly part?: Bytes;
  readonly optional?: boolean;
}

/**
 * A value as systemd expands it, as far as the file tells: `%i` is empty in a unit without instance, and what only names something is a word;
 * undefined: the rest is told at run time.
 */
export function expanded(unit: Unit, value: Bytes): Bytes | undefined {
  if (!value.includes('%')) return value;
  const hasInstance = unit.name.instance !== undefined;
  const plain = value.replace(/%([%iInNpjuUgGHlmbvaABMowWq])/g, (all, c: string) => {
    if (c === '%') return '\0';
    return c.toLowerCase() !== 'i' ? 'x' : hasInstance ? all : '';
  });
  return /%[a-zA-Z]/.test(plain) ? undefined : plain.replaceAll('\0', '%');
}

/** Accounts by systemd's liberal rules for names (systemd.io/USER_NAMES), or numbers that are ids. */
export function accountFault(key: Bytes, value: Bytes, known: (text: Bytes) => Bytes | undefined): Fault | undefined {
  if (CONTROL.test(value)) return { what: 'has a control character', hint: 'write a name or number' };
  for (const word of key === 'SupplementaryGroups' ? splitWords(value).words : [value]) {
    const name = known(word);
    if (name === undefined || isAccount(name) || word === '') continue;
    return {
      what: `names \`${word}\`, which is neither a name nor a number of an account`,
      part: word,
      hint: 'write a name or number',
    };
  }
  return undefined;
}

export const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/;

function isAccount(name: Bytes): boolean {
  if (/^[0-9]+$/.test(name))
    return /^(0|[1-9][0-9]{0,9})$/.test(name) && Number(name) < 0xffffffff && Number(name) !== 65535;
  return !/^$|^-[0-9]*$|^\.\.?$|^[ \t]|[ \t]$|[:/\x00-\x1f\x7f]/.test(name);
}

export function directoryFault(text: Bytes, isWorking: boolean): Fault | undefined {
  const optional = isWorking && text.startsWith('-');
  const path = optional ? text.slice(1) : text;
  if (isWorking && path === '~') return undefined;
  const fault: Fault | undefined = path.startsWith('/')
    ? pathFault(path)
    : { what: 'has a relative path', hint: 'write an absolute path' };
  return fault === undefined || !optional ? fault : { ...fault, optional };
}

/** A relative one is below /run. */
export function pidFileFault(path: Bytes): Fault | undefined {
  if (/^\/(dev|proc|sys)(\/|$)/.test(path))
    return { what: 'is below /dev, /proc or /sys', hint: 'write a path below /run' };
  return pathFault(path);
}

/** Steps upwards, which at the root lead nowhere and are allowed for programs alone, and the kernel's limits. */
export function pathFault(path: Bytes, upwards = false): Fault | undefined {
  if (!upwards && `/${path}/`.replace(/^\/(\/\.\.)+/, '').includes('/../'))
    return { what: 'has `..` in its path', hint: 'write the path without it' };
  if (path.length > 4095 || path.split('/').some(part => part.length > 255))
    return { what: 'has a path that is too long', hint: 'shorten it' };
  return undefined;
}
