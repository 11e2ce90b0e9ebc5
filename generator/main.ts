import { version } from '../src/base/version.ts';
import type { Host } from '../src/host/host.ts';
import { loadUnits } from '../src/quadlet/find.ts';
import { graphOf } from '../src/quadlet/model.ts';
import { activePeer } from '../src/quadlet/owner.ts';
import { programOf, settingOf } from '../src/quadlet/setting.ts';
import { translateAll, type Translation } from '../src/quadlet/translate.ts';
import { search, searchDirectories, type Found } from '../src/unit/search.ts';
import { parseFlags, USAGE, type Flags } from './flags.ts';
import { inHalves } from './halves.ts';
import { openLog, type Log } from './log.ts';
import { writeNetworkUnit } from './network-online.ts';
import { prepare, writeAll, type Output } from './output.ts';
import { logText, report } from './report.ts';

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
  const path = searchDirectories(host, flags.user);
  const found = search(host, path, flags.user);
  for (const p of [...path.problems, ...found.problems]) log.say(p.severity, logText(undefined, p));
  if (found.units.every(one => one.masked)) {
    log.say('debug', `No files parsed from [${path.directories.join(' ')}]`);
    return 0;
  }
  const ended = flags.verbose ? undefined : inHalves(host, flags, found);
  if (ended === 'second') return 0;
  if (ended !== undefined) for (const [level, text] of ended.said) log.say(level, text);
  const good = ended === undefined ? whole(host, flags, found, log) : ended.good;
  if (flags.user && output !== undefined && late !== undefined && !flags.dryRun)
    writeNetworkUnit(host, { normal: output, late, own: runBySystemd(host) }, programOf(host));
  if (!good) log.say('error', 'processing encountered some errors');
  return good ? 0 : 1;
}

function whole(host: Host, flags: Flags, found: Found, log: Log): boolean {
  const units = loadUnits(
    host,
    found,
    !flags.failureUnits,
    flags.verbose ? path => log.say('debug', `Loading source unit file ${path}`) : undefined,
  );
  const translations = translateAll(units, settingOf(host, flags.user, graphOf(units), !flags.failureUnits));
  const good = report(translations, log);
  const [directory] = flags.operands;
  if (flags.dryRun) print(host, translations, flags.failureUnits);
  if (flags.dryRun || directory === undefined) return good;
  const fresh = prepare(host, directory, log);
  const { failureUnits } = flags;
  const output: Output = { directory, fresh: fresh === true, failureUnits, part: 'all' };
  return writeAll(host, output, translations, log) && fresh !== undefined && good;
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

function print(host: Host, translations: readonly Translation[], failureUnits: boolean): void {
  const shown = translations.filter(one => one.file !== undefined && (failureUnits || !one.failed));
  host.write(1, shown.map(one => `---${one.file ?? ''}---\n${one.text}\n`).join(''));
}
