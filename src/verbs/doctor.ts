import { decodeText, encodeText } from '../base/text.ts';
import { SYSTEM_DOCTOR } from '../command/options-admin.ts';
import { lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { findUser } from '../host/users.ts';
import { Failure } from '../run/failure.ts';
import { commandLine, printable } from './command-line.ts';
import { accountFindings } from './doctor-account.ts';
import type { Finding, Health, Subject } from './doctor-check.ts';
import { hostFindings, networkFindings } from './doctor-host.ts';

/**
 * `berth system doctor [--for ACCOUNT]`: what containers need of this host, and the command that mends what is missing. Changes nothing.
 * Exit status 1 when something is missing; warnings are no failure.
 */
export function main(host: Host): number {
  const command = commandLine(host, SYSTEM_DOCTOR);
  if (typeof command === 'number') return command;
  const format = lastValue(command, 'format') ?? '';
  if (format !== '' && format !== 'json') throw new Failure(125, `--format ${format}: write json`);
  const subject = subjectOf(host, lastValue(command, 'for'));
  const own = subject.uid === 0 ? networkFindings(host) : accountFindings(subject);
  const findings = [...hostFindings(subject), ...own];
  host.write(
    1,
    encodeText(format === 'json' ? `${JSON.stringify(findings, undefined, 2)}\n` : report(subject, findings)),
  );
  return findings.some(one => one.state === 'missing') ? 1 : 0;
}

/** The caller, or with `--for` another account, whose places are then looked at. */
function subjectOf(host: Host, word: string | undefined): Subject {
  const user = findUser(host, word ?? String(host.uid));
  if (user === undefined) throw new Failure(125, `--for ${word ?? String(host.uid)}: there is no such account`);
  const { uid, home } = user;
  const name = decodeText(user.name);
  if (uid === host.uid) return { host, name, uid, home };
  if (host.uid !== 0) throw new Failure(125, `--for ${name}: only root may look at another account`);
  const environment = (key: string): string | undefined => (key === 'HOME' ? home : undefined);
  const access = (path: string, mode: number): boolean => mayWrite(host, path, uid, mode);
  return { host: Object.assign(Object.create(host) as Host, { uid, euid: uid, environment, access }), name, uid, home };
}

/** root may do everything: for another account the owner and the bits for all are what counts. */
function mayWrite(host: Host, path: string, uid: number, mode: number): boolean {
  const stat = host.stat(path);
  if (stat === undefined) return false;
  const bits = stat.uid === uid ? stat.mode >> 6 : stat.mode;
  return (bits & mode) === mode;
}

const MARKS: Readonly<Record<Health, string>> = { ok: 'ok', warning: 'warning', missing: 'MISSING' };

/** One line per thing; below it what mends it. */
function report({ name, uid }: Subject, findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(one => one.name.length));
  const lines = findings.flatMap(one => {
    const line = `${MARKS[one.state].padEnd(7)}  ${one.name.padEnd(width)}  ${one.found}`;
    return one.mend === undefined ? [line] : [line, `${' '.repeat(width + 11)}mend: ${one.mend}`];
  });
  const count = (state: Health): number => findings.filter(one => one.state === state).length;
  const title = uid === 0 ? 'containers of root' : `containers of ${name}`;
  const sum = `${title}: ${count('missing')} missing, ${count('warning')} warnings`;
  return [...lines, sum].map(line => `${printable(line)}\n`).join('');
}
