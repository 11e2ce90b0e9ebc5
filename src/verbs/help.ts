import { nearest } from '../base/suggest.ts';
import { version } from '../base/version.ts';
import { helpOf, helpOfAll, helpOfGroups, helpOfOption } from '../command/help.ts';
import { checkGlobals } from '../command/parse.ts';
import type { VerbRow } from '../command/types.ts';
import type { Bytes, Host } from '../host/host.ts';
import { complain } from './command-line.ts';
import { listKeys } from './help-keys.ts';
import { GROUPS, LATER_VERBS, OCI_VERBS, VERBS } from './table.ts';

/** `berth help [VERB [--OPTION]]`, `berth help verbs`, `berth help keys [SECTION]`, and `berth` without a verb: `--version`, `--help`. */
export function main(host: Host): number {
  const at = host.argv.indexOf('help');
  if (at < 0 && host.argv.some(word => word === '--version' || word === '-v')) {
    host.write(1, `berth version ${version()}\n`);
    return 0;
  }
  const wrong = at < 0 ? checkGlobals(host.argv) : [];
  if (wrong.length > 0) return complain(host, wrong, 125);
  const words = at < 0 ? [] : host.argv.slice(at + 1).filter(word => word !== '--help' && word !== '-h');
  const text = helpText(words);
  if (text !== undefined) {
    host.write(1, text);
    return 0;
  }
  const name = words.join(' ');
  const near = nearest(
    name,
    rows().map(row => row.name),
  );
  host.write(2, `berth: help: no verb is called ${name}${near === undefined ? '' : `; did you mean ${near}?`}\n`);
  return 125;
}

function rows(): readonly VerbRow[] {
  return [...VERBS, ...LATER_VERBS, ...OCI_VERBS];
}

function helpText(words: readonly Bytes[]): Bytes | undefined {
  const [first] = words;
  if (first === undefined) return helpOfGroups(GROUPS);
  if (first === 'verbs') return helpOfAll(VERBS);
  if (first === 'keys') return listKeys(words[1]) || undefined;
  const plain = words.filter(word => !word.startsWith('-')).join(' ');
  const row = rows().find(one => one.name === plain);
  if (row === undefined) {
    const family = VERBS.filter(one => one.name.startsWith(`${plain} `));
    return family.length === 0 ? undefined : helpOfAll(family);
  }
  const option = words.find(word => word.startsWith('-'));
  if (option === undefined) return helpOf(row);
  const found = row.options.find(one => option === `--${one.name}` || option === `-${one.short ?? ''}`);
  return found === undefined ? undefined : helpOfOption(row, found);
}
