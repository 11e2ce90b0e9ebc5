import { HostError, type Bytes, type Facts, type Files } from '../host/host.ts';
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
    exists: path => exists(host, path),
    asPeer,
  };
}

/** What cannot be looked at, such as links in a circle or a path that is closed to us, must not end the run for all units. */
function exists(host: SettingHost, path: Bytes): boolean {
  try {
    return host.stat(path) !== undefined;
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}

/** As Exec lines have it. BERTH_PROGRAM, or PODMAN as the peer has it, name another one. */
export function programOf(host: Pick<Facts, 'environment'>): Bytes {
  const program = host.environment('BERTH_PROGRAM') ?? host.environment('PODMAN') ?? '';
  return program.startsWith('/') ? execLine([literal(program)]) : PROGRAM;
}
