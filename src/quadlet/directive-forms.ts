import type { Bytes } from '../host/host.ts';
import { splitWords } from '../unit/values.ts';
import { ERRORS, SYSTEM_CALLS } from './systemd-names.ts';

/** What systemd takes as the value of an option: anything else it passes over, with a warning. */
export interface Rule {
  /** What is right, behind `write `. */
  readonly what: string;
  readonly fits: (value: Bytes) => boolean;
  /** An empty value forgets what stood before. */
  readonly empty: boolean;
  /** `%i` and others are expanded. */
  readonly expands: boolean;
}

const RIGHT: Omit<Rule, 'what' | 'fits'> = { empty: true, expands: false };

export const rule = (what: string, fits: RegExp | ((value: Bytes) => boolean), more: Partial<Rule> = {}): Rule => ({
  ...RIGHT,
  what,
  fits: typeof fits === 'function' ? fits : value => fits.test(value),
  ...more,
});

/** One of some words; `more` stands for other forms. */
export function oneOf(words: string, empty = false, more?: RegExp): Rule {
  const known = words.split(' ');
  return rule(known.join(', '), value => known.includes(value) || more?.test(value) === true, { empty });
}

/** Every word of a list. */
export function each(what: string, fits: RegExp | ((word: Bytes) => boolean), more: Partial<Rule> = {}): Rule {
  const test = typeof fits === 'function' ? fits : (word: Bytes): boolean => fits.test(word);
  return rule(
    what,
    value => {
      const read = splitWords(value);
      return read.fault === undefined && read.words.every(test);
    },
    more,
  );
}

/** A list that `~` in front turns into its opposite. */
export function eachOrNot(what: string, fits: RegExp | ((word: Bytes) => boolean)): Rule {
  const list = each(what, fits);
  return { ...list, fits: value => list.fits(value.replace(/^~/, '')) };
}

export const EXPANDS = { expands: true };
export const REQUIRED = { empty: false };
export const BOOLEAN = /^(1|yes|y|true|t|on|0|no|n|false|f|off)$/i;

export function numberBetween(from: number, to: number, more: Partial<Rule> = {}, hex = true): Rule {
  const form = hex ? /^[-+]?(0x[0-9a-f]+|0o[0-7]+|0b[01]+|[0-9]+)$/i : /^[-+]?[0-9]+$/;
  return rule(
    `a number from ${from} to ${to}`,
    value => form.test(value) && Number(value.replace('+', '')) >= from && Number(value.replace('+', '')) <= to,
    more,
  );
}

const UNITS =
  'seconds?|sec|s|minutes?|min|months?|M|msec|ms|m|hours?|hr|h|days?|d|weeks?|w|years?|y|usec|us|\xc2\xb5s|\xce\xbcs|nsec|ns';
const SPAN = new RegExp(
  `^(infinity|\\s*([0-9]+(\\.[0-9]*)?|\\.[0-9]+)\\s*(${UNITS})?(\\s*([0-9]+(\\.[0-9]*)?|\\.[0-9]+)\\s*(${UNITS})?)*\\s*)$`,
);
export const isSpan = (value: Bytes): boolean => SPAN.test(value) && !/[0-9]{14}/.test(value);
export const BYTES = /^\s*[0-9]+(\.[0-9]*)?\s*[EPTGMKB]?\s*$/;
export const isBytes = (value: Bytes): boolean => BYTES.test(value) && parseFloat(value) < 18446744073709550000;
export const isPercent = (value: Bytes): boolean =>
  /^[0-9]+(\.[0-9]{1,2})?%$|^[0-9]+(\.[0-9])?\xe2\x80\xb0$|^[0-9]+\xe2\x80\xb1$/.test(value);
export const isShare = (value: Bytes): boolean =>
  isPercent(value) && (!value.endsWith('%') || parseFloat(value) <= 100);

export function memory(zero: boolean): Rule {
  const fits = (value: Bytes): boolean =>
    value === 'infinity' || ((isBytes(value) || isShare(value)) && (zero || parseFloat(value) >= 1));
  return rule('a size such as 512M, a percentage, or infinity', fits);
}

export const orInfinity =
  (fits: (value: Bytes) => boolean) =>
  (value: Bytes): boolean =>
    value === 'infinity' || fits(value);

export function limit(what: string, one: (value: Bytes) => boolean): Rule {
  const fits = (value: Bytes): boolean => {
    const parts = value.split(':');
    return parts.length <= 2 && parts.every(one);
  };
  return rule(`${what}, or two of them as SOFT:HARD`, fits, REQUIRED);
}

export const COUNT = /^(0x[0-9a-f]+|[0-9]+)$/i;
export const isCount = (value: Bytes): boolean => COUNT.test(value) && Number(value) < 18446744073709550000;

export function isPath(path: Bytes): boolean {
  return (
    path.startsWith('/') &&
    !`${path}/`.replace(/^(\/\.\.)+/, '').includes('/../') &&
    path.length < 4096 &&
    path.split('/').every(part => part.length < 256)
  );
}

export function isBind(word: Bytes): boolean {
  const parts = word.replace(/^-/, '').split(':');
  const [source = '', target = source, flag = ''] = parts;
  return parts.length <= 3 && isPath(source) && isPath(target) && /^((no)?rbind)?$/.test(flag);
}

export function isCpuList(value: Bytes): boolean {
  return splitWords(value.replaceAll(',', ' ')).words.every(word => {
    const [from = '', to = from] = word.split('-');
    return COUNT.test(from) && COUNT.test(to) && Number(from) <= Number(to) && Number(to) < 8192;
  });
}

export const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
export const isAssignment = (word: Bytes): boolean => /^[A-Za-z_][A-Za-z0-9_]*=/.test(word);
export const UNIT =
  /^[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\@-]*)?\.(service|socket|target|device|mount|automount|swap|timer|path|slice|scope|container|pod|volume|network|kube|image|build|artifact)$/;
export const isSystemCall = (word: Bytes): boolean => {
  const [name = '', error] = word.split(':');
  return SYSTEM_CALLS.has(name) && (error === undefined || isErrno(error));
};
export const isErrno = (value: Bytes): boolean =>
  value === 'kill' || ERRORS.has(value) || (COUNT.test(value) && Number(value) > 0 && Number(value) < 4096);
export const IP =
  /^(((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\.|(?![0-9.]))){4}(\/([12]?[0-9]|3[0-2]))?|(?=.*:.*:)[0-9a-f:.]*(\/[0-9]{1,3})?)$/i;
export const directories = (links: boolean): Rule =>
  each(
    'paths below the directory of its kind, without `..`',
    word => {
      const parts = word.split(':');
      const isBelow = (path: Bytes): boolean =>
        path !== '' && !path.startsWith('/') && !/(^|\/)\.\.(\/|$)/.test(path) && path.length < 256;
      if (parts.length > (links ? 2 : 1) && !(links && parts.length === 3 && /^(ro)?$/.test(parts[2] ?? '')))
        return false;
      return (
        parts.slice(0, 2).every((part, i) => isBelow(part) || (i === 1 && part === '')) &&
        !/^private(\/|$)/.test(parts[0] ?? '')
      );
    },
    EXPANDS,
  );
