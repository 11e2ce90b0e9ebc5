import { isNamedNetwork, NAMESPACE_UNIT } from '../command/networks.ts';
import type { OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import { cleanLinesOf, endOf, lastEntry, replaceEntry, type Entry } from '../unit/document.ts';
import { boolean, scalar } from '../unit/values.ts';
import { quoteWord } from '../unit/write.ts';
import type { Draft, Setting, Unit } from './model.ts';
import { sandbox } from './sandbox.ts';
import { defaultService } from './service.ts';

/**
 * What a container needs that runs as an account: `User=` or `DynamicUser=` in [Service] of a system unit. Directories are made by root in front of
 * the start. Options of the sandbox that would break a start are refused by name here (sandbox.ts), and again at the start.
 */
export function accountLines(unit: Unit, draft: Draft, setting: Setting, image: Bytes | undefined): void {
  if (setting.user) return sandbox(unit, draft, 'user');
  const user = lastEntry(unit.service, 'User');
  const name = user === undefined ? '' : scalar(user.value);
  const dynamic = flag(unit, 'DynamicUser');
  const account = name === '' ? dynamicName(unit.stem) : name;
  const root = !dynamic && (name === '' || name === 'root' || name === '0');
  sandbox(unit, draft, root ? 'root' : dynamic ? 'dynamic' : 'account');
  if (name === '' && !dynamic) return;
  if (dynamic) {
    defaultService(unit, draft, 'RuntimeDirectory', 'berth-%N');
    defaultService(unit, draft, 'StateDirectory', 'berth-%N');
  }
  if (account !== undefined && account !== 'root' && account !== '0') prepare(unit, draft, setting, account, image);
}

/** For units of an account that make something for its containers: `User=` in [Service]. */
export function preparedAccount(unit: Unit, draft: Draft, setting: Setting): void {
  const account = accountOf(unit, setting);
  if (account !== undefined) prepare(unit, draft, setting, account, undefined);
}

/**
 * Images are loaded once, by root; an account that lacks one is handed its own copy, owned through its own ids. What the unit runs before
 * the start itself may already need the directories (`ExecStartPre=berth load …`), or bring the image to root (`ExecStartPre=+…`): the
 * directories come before all that, the image after it.
 */
function prepare(unit: Unit, draft: Draft, setting: Setting, account: Bytes, image: Bytes | undefined): void {
  const line = `ExecStartPre=+${setting.program} account prepare`;
  const own = firstCommand(unit);
  if (own !== undefined) {
    const text = cleanLinesOf(own.section.source).slice(own.at, endOf(own));
    replaceEntry(own, [`${line} ${quoteWord(account)}`, ...text].join('\n'));
    if (image === undefined) return;
  }
  draft.lines.push(`${line}${image === undefined ? '' : ` --image ${quoteWord(image)}`} ${quoteWord(account)}`);
}

/** The first ExecStartPre= that systemd will run: an empty one takes back those before it. */
function firstCommand(unit: Unit): Entry | undefined {
  let first: Entry | undefined;
  for (const entry of unit.service) {
    if (entry.key !== 'ExecStartPre') continue;
    if (scalar(entry.value) === '') first = undefined;
    else first ??= entry;
  }
  return first;
}

/** `User=` of [Service] as it stands there; undefined: root, or the user manager's own account. */
export function accountOf(unit: Unit, setting: Setting): Bytes | undefined {
  const entry = setting.user ? undefined : lastEntry(unit.service, 'User');
  const name = entry === undefined ? '' : scalar(entry.value);
  return name === '' || name === 'root' || name === '0' ? undefined : name;
}

/** Its number where that is known, whether units name it or its number. */
export function accountId(name: Bytes, setting: Setting): Bytes {
  const known = /^[0-9]+$/.test(name) ? Number(name) : setting.account('user', name);
  return typeof known === 'number' ? String(known) : name;
}

/**
 * Containers in networks of an account need the unit that holds their namespace. `options` and `words` are those of the command.
 * Users of the peer, and its own cases, count on `Requires=` and on the number of `After=` lines: so it is `Wants=` with `PartOf=`, and a second
 * name in the line that is there for the network anyway.
 */
export function namespaceLines(
  unit: Unit,
  draft: Draft,
  setting: Setting,
  options: readonly OptionUse[],
  words: readonly Bytes[],
): void {
  const account = accountOf(unit, setting);
  if (account === undefined && !setting.user) return;
  const given = options.filter(use => use.name === 'network').map(use => use.value);
  if (![...given, ...networkWords(words)].some(isNamedNetwork)) return;
  const name = account === undefined ? NAMESPACE_UNIT : `berth-netns@${accountId(account, setting)}.service`;
  draft.tail.push(`Wants=${name}`, `PartOf=${name}`);
  const line = draft.head.findIndex(one => one.startsWith('After='));
  const isReset = unit.unit.some(entry => entry.key === 'After' && scalar(entry.value) === '');
  if (line < 0 || isReset) draft.tail.push(`After=${name}`);
  else draft.head[line] += ` ${name}`;
}

function networkWords(words: readonly Bytes[]): Bytes[] {
  return words.flatMap((word, at) => {
    const match = /^--net(?:work)?(?:=(.*))?$/s.exec(word);
    return match === null ? [] : [match[1] ?? words[at + 1] ?? ''];
  });
}

/** systemd names a dynamic user without User= by the unit, when that is a user name (systemd.exec(5), DynamicUser=). */
function dynamicName(stem: Bytes): Bytes | undefined {
  const prefix = stem.split('@')[0] ?? '';
  return /^[a-zA-Z_][a-zA-Z0-9_-]{0,30}$/.test(prefix) ? prefix : undefined;
}

function flag(unit: Unit, key: string): boolean {
  const entry = lastEntry(unit.service, key);
  return entry !== undefined && boolean(entry.value) === true;
}
