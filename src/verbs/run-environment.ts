import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { runtimeDirectory } from '../run/directories.ts';
import { ID_VARIABLE, LABEL_VARIABLE } from '../run/state.ts';

/** Of one container: another of the same name may be made while this one is. */
export function environmentPath(host: Host, id: string): string {
  return `${runtimeDirectory(host)}/environment-${id}`;
}

/**
 * Variables that the command line takes from our environment (`--env NAME`, `--env-host`, `--env PREFIX*`), and labels from files: for a
 * file of mode 0600, since a unit's Environment= and command line can be read by everybody. undefined when there are none.
 */
export function environmentText(host: Host, command: Command, request: RunRequest): string | undefined {
  const names = command.options.filter(use => use.name === 'env' && !use.value.includes('=')).map(use => use.value);
  const labels = command.options.some(use => use.name === 'label-file')
    ? Object.entries(request.labels).map(([name, value], at) => `${LABEL_VARIABLE}${at}=${name}=${value}`)
    : [];
  if (names.length === 0 && labels.length === 0 && !request.environmentHost) return undefined;
  const wanted = host.environmentList().filter(pair => {
    const name = pair.slice(0, pair.indexOf('='));
    if (['NOTIFY_SOCKET', 'PODMAN_SYSTEMD_UNIT', ID_VARIABLE, 'INVOCATION_ID', 'JOURNAL_STREAM'].includes(name))
      return false;
    if (name.startsWith(LABEL_VARIABLE)) return false;
    return (
      request.environmentHost ||
      names.some(one => one === name || (one.endsWith('*') && name.startsWith(one.slice(0, -1))))
    );
  });
  return [...wanted, ...labels].map(quoted).join('');
}

/** The labels of files, at the start that the unit makes. */
export function labelsFromUnit(host: Host): Record<string, string> {
  const found: Record<string, string> = {};
  for (const pair of host.environmentList()) {
    if (!pair.startsWith(LABEL_VARIABLE)) continue;
    const [, name = '', value = ''] = /^[^=]*=([^=]*)=([^]*)$/.exec(pair) ?? [];
    found[name] = value;
  }
  return found;
}

/** systemd.exec(5), EnvironmentFile=: within double quotes a backslash stands before `"`, `\`, `` ` `` and `$`. */
function quoted(pair: string): string {
  const at = pair.indexOf('=');
  return `${pair.slice(0, at)}="${pair.slice(at + 1).replace(/["\\`$]/g, '\\$&')}"\n`;
}
