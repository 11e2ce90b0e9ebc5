import { lastEntry, type Entry } from '../unit/document.ts';
import { splitWords } from '../unit/values.ts';
import { failAt, type Unit } from './model.ts';

/**
 * SystemCallFilter= of systemd.exec(5) applies to everything the unit starts, so a filter without what makes a container kills the start with
 * SIGSYS before it could say why. Checked by the names of systemd's sets (`systemd-analyze syscall-filter`), not by single calls.
 */
const NEEDED = ['@system-service', '@mount'];
const ALSO_NEEDED = ['capset', 'sethostname'];
/** Sets that hold a call a start cannot do without. */
const VITAL = new Set([
  ...[
    '@mount',
    '@privileged',
    '@process',
    '@file-system',
    '@basic-io',
    '@io-event',
    '@setuid',
    '@system-service',
    '@default',
    '@signal',
  ],
  ...[
    'clone3',
    'execve',
    'execveat',
    'mount',
    'move_mount',
    'open_tree',
    'openat2',
    'pivot_root',
    'setns',
    'unshare',
    'capset',
    'sethostname',
  ],
]);

export function refuseSystemCalls(unit: Unit): void {
  const last = lastEntry(unit.service, 'SystemCallFilter');
  if (last === undefined) return;
  const allowed = new Set<string>();
  let allows: Entry | undefined;
  for (const entry of unit.service) {
    if (entry.key !== 'SystemCallFilter') continue;
    const negative = entry.value.startsWith('~');
    const words = splitWords(negative ? entry.value.slice(1) : entry.value).words.map(word => word.split(':')[0] ?? '');
    if (words.length === 0) {
      allowed.clear();
      allows = undefined;
    } else if (negative) {
      const vital = words.find(word => VITAL.has(word));
      if (vital !== undefined)
        refuse(
          unit,
          entry,
          `a start needs ${vital}`,
          `take ${vital} out; the container's own filter is SeccompProfile=`,
        );
    } else {
      for (const word of words) allowed.add(word);
      allows = entry;
    }
  }
  if (allows === undefined) return;
  const missing = NEEDED.filter(name => !allowed.has(name));
  if (!allowed.has('@privileged')) missing.push(...ALSO_NEEDED.filter(name => !allowed.has(name)));
  if (missing.length > 0) refuse(unit, allows, `a start needs ${missing.join(' ')}`, `add ${missing.join(' ')}`);
}

function refuse(unit: Unit, entry: Entry, why: string, hint: string): void {
  failAt(unit, entry, 'sandbox', `\`${entry.key}=${entry.value}\` in [Service] does not work: ${why}`, { hint });
}
