import type { Bytes, Facts, Files } from '../host/host.ts';
import { execLine, literal } from '../unit/write.ts';
import { accountLookup } from './accounts.ts';
import type { Graph, Setting } from './model.ts';

type SettingHost = Pick<Files, 'stat' | 'readFileIfExists'> & Pick<Facts, 'environment'>;

const PROGRAM = '/usr/bin/berth';

/** What all translations of a run share. */
export function settingOf(host: SettingHost, user: boolean, graph: Graph, asPeer = false): Setting {
  return {
    graph,
    user,
    program: programOf(host),
    account: accountLookup(host),
    exists: path => host.stat(path) !== undefined,
    asPeer,
  };
}

/** As Exec lines have it. BERTH_PROGRAM, or PODMAN as the peer has it, name another one. */
export function programOf(host: Pick<Facts, 'environment'>): Bytes {
  const program = host.environment('BERTH_PROGRAM') ?? host.environment('PODMAN') ?? '';
  return program.startsWith('/') ? execLine([literal(program)]) : PROGRAM;
}
