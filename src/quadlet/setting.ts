import type { Facts, Files } from '../host/host.ts';
import { execLine, literal } from '../unit/write.ts';
import { accountLookup } from './accounts.ts';
import type { Setting, Unit } from './model.ts';

type SettingHost = Pick<Files, 'stat' | 'readFileIfExists'> & Pick<Facts, 'environment'>;

const PROGRAM = '/usr/bin/berth';

/** What all translations of a run share. BERTH_PROGRAM, or PODMAN as the peer has it, name another program for the Exec lines. */
export function settingOf(host: SettingHost, user: boolean, units: readonly Unit[]): Setting {
  const program = host.environment('BERTH_PROGRAM') ?? host.environment('PODMAN') ?? '';
  return {
    graph: new Map(units.map(unit => [unit.name.name, unit])),
    user,
    program: program.startsWith('/') ? execLine([literal(program)]) : PROGRAM,
    account: accountLookup(host),
    exists: path => host.stat(path) !== undefined,
  };
}
