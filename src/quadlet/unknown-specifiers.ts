import { KIND, kindsOf } from '../base/kinds.ts';
import type { Bytes } from '../host/host.ts';
import { placeOf, type Entry } from '../unit/document.ts';
import { failAt, warnAt, type Unit } from './model.ts';

/**
 * `%` with a letter or digit that systemd.unit(5), "Specifiers", does not have. systemd loads no unit with such a line, and says so with the place
 * in the generated file alone: `date +%F` wants `%%F`.
 */
export function checkSpecifiers(unit: Unit): void {
  if (!hasPercent(unit)) return;
  for (const entries of unit.present.values()) for (const entry of entries) checkEntry(unit, entry);
  for (const entry of unit.service) if (FATAL.test(entry.key)) checkEntry(unit, entry);
}

/** A line with unknown ones as text. */
export function knownSpecifiers(line: Bytes): Bytes {
  return line.replace(UNKNOWN, part => (part === '%%' ? part : `%${part}`));
}

/** One look at each source: most have none. */
function hasPercent(unit: Unit): boolean {
  const { sections } = unit.document;
  let before;
  for (let i = 0; i < sections.length; i++) {
    const source = sections[i]?.source;
    if (source === undefined) continue;
    if (source !== before && (kindsOf(source.text) & KIND.expanded) !== 0 && source.text.includes('%')) return true;
    before = source;
  }
  return false;
}

/** Those of [Service] for which systemd does not load the unit; it passes over others. */
const FATAL =
  /^(Exec(Condition|Start|StartPre|StartPost|Reload|Stop|StopPost)|User|Group|SupplementaryGroups|WorkingDirectory|Root(Directory|Image|Verity)|SELinuxContext|AppArmorProfile|SmackProcessLabel)$/;
/** Tried with systemd 257: the others are specifiers, or stand for themselves. */
export const UNKNOWN = /%(%|[0-9FKOQXZekxz])/g;
/** What systemd only leaves out, with a warning: "-" in front of a command, working directory or label. */
const OPTIONAL = /^[@:+!]*-/;
const NEVER_OPTIONAL = /^(User|Group|SupplementaryGroups|Root.*)$/;

function checkEntry(unit: Unit, entry: Entry): void {
  const { key, value, section } = entry;
  if (!value.includes('%')) return;
  for (const [part] of value.matchAll(UNKNOWN)) {
    if (part === '%%') continue;
    // A boolean of that kind was told already.
    const { line } = placeOf(entry, part);
    if (unit.problems.some(p => p.key === key && p.line === line && p.severity === 'error')) return;
    const message = `\`${part}\` in \`${key}=\` is no specifier, so that systemd would not load the unit`;
    const isOptional = section.name === 'Service' && OPTIONAL.test(value) && !NEVER_OPTIONAL.test(key);
    const tell = isOptional ? warnAt : failAt;
    tell(unit, entry, 'specifier', message, { part, hint: `write %${part}` });
    return;
  }
}
