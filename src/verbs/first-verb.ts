import { GLOBAL_OPTIONS } from '../command/globals.ts';
import type { Bytes } from '../host/host.ts';
import { printable } from './command-line.ts';
import { LATER_VERBS, VERBS } from './table.ts';

/** Index of the verb in the words behind the program's name; their number when there is none. native/main.c steps over options the same way. */
export function verbIndex(words: readonly Bytes[]): number {
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') return at + 1;
    if (!word.startsWith('-') || word === '-') return at;
    if (takesNextWord(word)) at++;
  }
  return at;
}

function takesNextWord(word: Bytes): boolean {
  if (word.includes('=')) return false;
  const row = GLOBAL_OPTIONS.find(one => word === `--${one.name}` || word === `-${one.short ?? '-'}`);
  return row !== undefined && row.kind !== 'flag';
}

/** Verbs of podman(1) that people will try, and what does it here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'auto-update': 'nothing updates by itself yet; Pull=newer asks the registry at each start',
  compose: 'write .pod and .container files',
  farm: 'use `berth` on each host',
  generate: 'write a .container file; `berth quadlet print` shows those there are',
  init: 'use `berth create`, and `berth start`',
  machine: 'containers run on this host',
  manifest: 'images for several platforms are pulled and pushed, but not made here',
  mount: 'use `berth cp` or `berth export`; `berth volume mount` is for volumes',
  'system connection': 'there is no daemon to connect to; use ssh',
  'system events': 'use `berth events`',
  'system info': 'use `berth info`',
  'system reset':
    'remove what there is by `berth rm -a -f`, `berth rmi -a -f`, `berth volume prune` and `berth network prune`',
  'system service': 'there is no daemon; units are controlled by systemctl or `berth start`',
  unmount: '`berth volume unmount` is for volumes',
  unshare: 'use `berth exec` or `berth cp`, which work with the ids of a container',
};

/** The line for a verb that there is not. */
export function unknownVerb(words: readonly Bytes[]): Bytes {
  const [first = '', second = ''] = words.slice(verbIndex(words));
  if (first === '') return "no verb; 'berth help' lists them";
  const two = `${first} ${second}`;
  const later = LATER_VERBS.find(row => row.name === first || row.name === two);
  if (later !== undefined) return `${later.name}: this version does not have this verb yet`;
  for (const name of [two, first])
    if (Object.hasOwn(ELSEWHERE, name)) return `${name}: no such verb; ${ELSEWHERE[name] ?? ''}`;
  if (!VERBS.some(row => row.name.startsWith(`${first} `))) return `${first}: no such verb; 'berth help' lists them`;
  return `${printable(two).trimEnd()}: no such verb; 'berth help ${first}' lists them`;
}
