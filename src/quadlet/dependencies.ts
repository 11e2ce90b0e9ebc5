import { replaceEntry, type Entry } from '../unit/document.ts';
import { typeOf } from '../unit/names.ts';
import { splitWords } from '../unit/values.ts';
import { quoteWord } from '../unit/write.ts';
import { failAt, type Draft, type Setting, type Unit } from './model.ts';
import { afterReset } from './read.ts';

/** Keys of [Unit] in which names of unit files stand for their services. */
const KEYS = new Set([
  'After',
  'Before',
  'BindsTo',
  'Conflicts',
  'OnFailure',
  'OnSuccess',
  'PartOf',
  'PropagatesReloadTo',
  'PropagatesStopTo',
  'ReloadPropagatedFrom',
  'Requires',
  'Requisite',
  'StopPropagatedFrom',
  'Upholds',
  'Wants',
]);

const STRONG = new Set(['BindsTo', 'Requires', 'Requisite']);

/** Rewrites the keys that name unit files, each as one line; others stay as they are. */
export function translateDependencies(unit: Unit, draft: Draft, setting: Setting): void {
  let touched: Map<string, string[]> | undefined;
  for (const entry of unit.unit) {
    if (!entry.value.includes('.') || !KEYS.has(entry.key) || touched?.has(entry.key) === true) continue;
    if (!splitWords(entry.value).words.some(word => typeOf(word) !== undefined)) continue;
    touched ??= new Map();
    touched.set(entry.key, rewrite(unit, setting, entry.key));
  }
  if (touched === undefined) return;
  for (const [key, words] of touched) if (words.length > 0) draft.tail.push(`${key}=${words.map(quoteWord).join(' ')}`);
}

/** All words of a key, translated; its lines are taken out. An empty assignment stays where it is and forgets the earlier words. */
function rewrite(unit: Unit, setting: Setting, key: string): string[] {
  const entries = unit.unit.filter(entry => entry.key === key);
  for (const entry of entries) if (entry.value !== '') replaceEntry(entry, '');
  return afterReset(entries).flatMap(entry =>
    splitWords(entry.value).words.map(word => serviceOf(unit, setting, entry, word)),
  );
}

function serviceOf(unit: Unit, setting: Setting, entry: Entry, word: string): string {
  if (typeOf(word) === undefined) return word;
  const found = setting.graph.get(word);
  if (found === undefined) {
    const hint = `no ${word} was found in the search path`;
    failAt(unit, entry, 'reference', `unable to translate dependency for ${word}`, { part: word, hint });
    return word;
  }
  // A weak dependency on a broken unit is for systemd to judge: its failure unit has the expected name.
  if (STRONG.has(entry.key)) unit.references.push({ unit: found, entry });
  return `${found.stem}.service`;
}

/** The network must be up first, unless the unit says otherwise. First in [Unit], so that an empty `After=` of the unit takes it away. */
export function defaultDependencies(unit: Unit, draft: Draft, user: boolean): void {
  if (!unit.defaultDependencies) return;
  const target = user ? NETWORK_UNIT : 'network-online.target';
  draft.head.push(`Wants=${target}`, `After=${target}`);
}

/** What user units wait for; see generator/network-online.ts. */
export const NETWORK_UNIT = 'podman-user-wait-network-online.service';
