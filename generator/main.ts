import { version } from '../src/base/version.ts';
import type { Problem } from '../src/base/problem.ts';
import type { Bytes, Host } from '../src/host/host.ts';
import { loadUnits } from '../src/quadlet/find.ts';
import type { Unit } from '../src/quadlet/model.ts';
import { activePeer } from '../src/quadlet/owner.ts';
import { settingOf } from '../src/quadlet/setting.ts';
import { translateAll, type Translation } from '../src/quadlet/translate.ts';
import { search, searchDirectories } from '../src/unit/search.ts';
import { parseFlags, USAGE, type Flags } from './flags.ts';
import { openLog, type Log } from './log.ts';
import { writeNetworkUnit } from './network-online.ts';
import { writeAll } from './output.ts';

const CONFIG_ERROR = 78;

/**
 * What systemd runs at boot and at every daemon-reload: unit files in, services and links out. `berth generator …`, or the program under a name that
 * ends in `-generator`. Exit status 0; 1 when a file could not be translated, 2 after a wrong flag.
 */
export function main(host: Host): number {
  const [program = '', ...rest] = host.argv;
  const named = program.slice(program.lastIndexOf('/') + 1);
  const words = named.includes('-generator') || rest[0] !== 'generator' ? rest : rest.slice(1);
  const flags = parseFlags(words);
  if (typeof flags === 'string') {
    host.write(2, `${flags}\n${USAGE}`);
    return 2;
  }
  if (flags.help) {
    host.write(2, USAGE);
    return 0;
  }
  if (flags.version) {
    host.write(1, `${version()}\n`);
    return 0;
  }
  if (flags.printFailure) {
    host.write(2, flags.operands.map(line => `${line}\n`).join(''));
    return CONFIG_ERROR;
  }
  return generate(host, { ...flags, user: flags.user || named.includes('user') });
}

function generate(host: Host, flags: Flags): number {
  const log = openLog(host, flags.noKmsg, flags.verbose);
  const [output, , late] = flags.operands;
  if (output === undefined && !flags.dryRun) {
    log.say('error', 'missing output directory argument');
    return 1;
  }
  if (standsBack(host, flags, log)) return 0;
  const { directories, problems } = searchDirectories(host, flags.user);
  const found = search(host, directories, flags.user);
  for (const p of [...problems, ...found.problems]) log.say(p.severity, logText(undefined, p));
  const units = loadUnits(
    host,
    found,
    flags.verbose ? path => log.say('debug', `Loading source unit file ${path}`) : undefined,
  );
  if (units.length === 0) {
    log.say('debug', `No files parsed from [${directories.join(' ')}]`);
    return 0;
  }
  const setting = settingOf(host, flags.user, units);
  const translations = translateAll(units, setting);
  let good = report(translations, log);
  if (flags.dryRun) print(host, translations, flags.failureUnits);
  else if (output !== undefined) good = writeAll(host, output, translations, flags.failureUnits, log) && good;
  if (flags.user && output !== undefined && late !== undefined && !flags.dryRun)
    writeNetworkUnit(host, { normal: output, late, own: runBySystemd(host) }, setting.program);
  if (!good) log.say('error', 'processing encountered some errors');
  return good ? 0 : 1;
}

/** When systemd runs us beside the peer's generator, the peer keeps the files. */
function standsBack(host: Host, flags: Flags, log: Log): boolean {
  if (flags.dryRun || !runBySystemd(host)) return false;
  const peer = activePeer(host, flags.user);
  if (peer === undefined) return false;
  log.say(
    'warning',
    `nothing is generated, since ${peer} is active; \`berth system takeover\` hands its unit files to Berth`,
  );
  return true;
}

/** On the standard directories: systemd sets SYSTEMD_SCOPE= (systemd.generator(7)). */
function runBySystemd(host: Host): boolean {
  return host.environment('SYSTEMD_SCOPE') !== undefined && (host.environment('QUADLET_UNIT_DIRS') ?? '') === '';
}

/** Every problem of every unit, in order; false when one is an error. */
function report(translations: readonly Translation[], log: Log): boolean {
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
function logText(unit: Unit | undefined, p: Problem): Bytes {
  const head = p.severity === 'warning' ? 'Warning: ' : unit === undefined ? '' : `converting "${unit.name.name}": `;
  const place = [p.file, p.line, p.column].filter(part => part !== undefined).join(':');
  return `${head}${p.message}${p.hint === undefined ? '' : `; ${p.hint}`}${place === '' ? '' : ` (${place})`}`;
}

function print(host: Host, translations: readonly Translation[], failureUnits: boolean): void {
  const shown = translations.filter(one => one.file !== undefined && (failureUnits || !one.failed));
  host.write(1, shown.map(one => `---${one.file ?? ''}---\n${one.text}\n`).join(''));
}
