import { describe, type Problem } from '../base/problem.ts';
import type { Bytes } from '../host/host.ts';
import { lastEntry } from '../unit/document.ts';
import { scalar } from '../unit/values.ts';
import { execLine, literal, noSpecifiers, comment, isWritable, oneLine } from '../unit/write.ts';
import { containerName, stopLines } from './container.ts';
import type { Setting, Unit } from './model.ts';
import { pidFileOf, podStopLines } from './pod.ts';
import { commandBase, UNIT_VARIABLE } from './service.ts';
import { knownSpecifiers } from './unknown-specifiers.ts';

/**
 * What stands in for a unit that could not be translated: a service of the same name whose start prints the problems and fails with EX_CONFIG, so
 * that `systemctl status` and the journal show them. A container that was started before keeps running; the lines that stop it are kept.
 */
export function failureText(unit: Unit, setting: Setting): Bytes {
  const lines = unit.problems.filter(p => p.severity === 'error').map(describeIn);
  const shown = lines.slice(0, MOST).concat(lines.length > MOST ? [`... and ${lines.length - MOST} more`] : []);
  const failing = execLine(['generator', '--print-failure', ...shown.map(line => literal(line.slice(0, LONGEST)))]);
  const out = [
    comment(`${unit.name.name} could not be translated; repair it and run systemctl daemon-reload:`),
    ...shown.map(line => comment(line)),
    '',
    '[Unit]',
    `Description=${noSpecifiers(oneLine(unit.name.name))} (could not be translated)`,
  ];
  if (isWritable(unit.path)) out.push(`SourcePath=${noSpecifiers(unit.path)}`);
  // Members start without the pod's unit now, each to say what is wrong; they still end before it.
  for (const member of unit.members) out.push(`PropagatesStopTo=${member}.service`, `Before=${member}.service`);
  out.push('', '[Service]', 'Type=oneshot', 'SyslogIdentifier=%N', `ExecStart=+${setting.program} ${failing}`);
  if (unit.name.type === 'container' || unit.name.type === 'pod') out.push(...running(unit, setting));
  return `${out.join('\n')}\n`;
}

/** A file of random bytes may have a problem in every line; the first ones are enough to repair it. */
const MOST = 20;
/** Characters of one line. */
const LONGEST = 1000;

function describeIn(p: Problem): string {
  return describe(p);
}

/** How what still runs from an earlier state of the file is stopped. */
function running(unit: Unit, setting: Setting): Bytes[] {
  const draft = { head: [], tail: [], lines: [] as Bytes[] };
  // Reading the name and the global options again must not report anything twice.
  const quiet: Unit = { ...unit, problems: [] };
  const base = commandBase(quiet, setting);
  if (unit.name.type === 'pod') {
    draft.lines.push(UNIT_VARIABLE, `PIDFile=${pidFileOf(quiet, draft, setting)}`, ...account(unit, setting));
    podStopLines(quiet, draft, base);
  } else {
    draft.lines.push('KillMode=mixed', 'Delegate=yes', 'DelegateSubgroup=supervisor', ...account(unit, setting));
    stopLines(draft, base, containerName(quiet));
  }
  return draft.lines.map(knownSpecifiers);
}

/** Whose container it is. With an account that is not known systemd would fail before it says anything of the file. */
function account({ service, problems }: Unit, setting: Setting): Bytes[] {
  if (problems.some(p => p.key === 'User' || p.key === 'Group')) return [];
  return (['user', 'group'] as const).flatMap(kind => {
    const entry = lastEntry(service, kind === 'user' ? 'User' : 'Group');
    if (entry === undefined || typeof setting.account(kind, scalar(entry.value)) !== 'number') return [];
    return [`${entry.key}=${entry.value}`];
  });
}
