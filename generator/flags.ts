import { boolean } from '../src/unit/values.ts';
import type { Bytes } from '../src/host/host.ts';

/** The generator's command line; flags have one or two dashes and may have `=true` or `=false`. */
export interface Flags {
  readonly user: boolean;
  readonly dryRun: boolean;
  readonly verbose: boolean;
  readonly noKmsg: boolean;
  readonly version: boolean;
  readonly help: boolean;
  readonly failureUnits: boolean;
  readonly printFailure: boolean;
  readonly operands: readonly Bytes[];
}

export const USAGE = `usage: berth generator [flags] DIR [EARLY LATE]
  -user              unit files of the user manager
  -dryrun            print what would be written
  -v                 say what is read and written
  -no-kmsg-log       messages to standard error
  -no-failure-units  write nothing for a file that cannot be translated
  -version           print the version
`;

const NAMES = ['user', 'dryrun', 'v', 'no-kmsg-log', 'version', 'h', 'help', 'no-failure-units', 'print-failure'];

/** `words` are the ones behind the program (and behind `generator`). The text is a message about a wrong flag. */
export function parseFlags(words: readonly Bytes[]): Flags | string {
  const set = new Set<string>();
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word.length < 2 || !word.startsWith('-')) break;
    if (word === '--') {
      at++;
      break;
    }
    const [name = '', value] = cut(word.replace(/^--?/, ''));
    if (!NAMES.includes(name)) return `flag provided but not defined: -${name}`;
    const on = value === undefined ? true : boolean(value);
    if (on === undefined || value === '') return `invalid boolean value "${value ?? ''}" for -${name}`;
    if (on) set.add(name);
    else set.delete(name);
    if (name === 'print-failure') {
      at++;
      break;
    }
  }
  return {
    user: set.has('user'),
    dryRun: set.has('dryrun'),
    verbose: set.has('v') || set.has('dryrun'),
    noKmsg: set.has('no-kmsg-log') || set.has('dryrun'),
    version: set.has('version'),
    help: set.has('h') || set.has('help'),
    failureUnits: !set.has('no-failure-units'),
    printFailure: set.has('print-failure'),
    operands: words.slice(at),
  };
}

function cut(flag: string): [string, string | undefined] {
  const equal = flag.indexOf('=');
  return equal < 0 ? [flag, undefined] : [flag.slice(0, equal), flag.slice(equal + 1)];
}
