import type { Problem } from '../src/base/problem.ts';
import type { Bytes } from '../src/host/host.ts';
import type { Unit } from '../src/quadlet/model.ts';
import type { Translation } from '../src/quadlet/translate.ts';
import type { Log } from './log.ts';

/** Every problem of every unit, in order; false when one is an error. */
export function report(translations: readonly Translation[], log: Log): boolean {
  let good = true;
  for (const { unit } of translations) {
    for (const p of unit.problems) {
      log.say(p.severity, logText(unit, p));
      if (p.severity === 'error') good = false;
    }
    for (const p of unit.dropInProblems) {
      log.say(p.severity, logText(unit, p));
      good = false;
    }
  }
  return good;
}

/** `converting "NAME": MESSAGE; HINT (FILE:LINE:COLUMN)`; warnings as the peer words them. */
export function logText(unit: Unit | undefined, p: Problem): Bytes {
  const head = p.severity === 'warning' ? 'Warning: ' : unit === undefined ? '' : `converting "${unit.name.name}": `;
  const place = [p.file, p.line, p.column].filter(part => part !== undefined).join(':');
  return `${head}${p.message}${p.hint === undefined ? '' : `; ${p.hint}`}${place === '' ? '' : ` (${place})`}`;
}
