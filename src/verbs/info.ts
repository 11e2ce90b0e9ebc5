import { encodeText, decodeText } from '../base/text.ts';
import { version } from '../base/version.ts';
import { INFO } from '../command/options-container.ts';
import { lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { listedStores } from '../image/additional.ts';
import { storeDirectory } from '../image/store.ts';
import { commandLine } from './command-line.ts';
import { fillTemplate } from './format.ts';

const TOOLS = ['newuidmap', 'newgidmap', 'pasta', 'netavark', 'aardvark-dns', 'crun', 'runc'];
const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/usr/lib/podman', '/usr/libexec/podman'];

/** `berth info`: what starts depend on, as found now. */
export function main(host: Host): number {
  const command = commandLine(host, INFO);
  if (typeof command === 'number') return command;
  const controllers = host.readFileIfExists('/sys/fs/cgroup/cgroup.controllers');
  const extra = listedStores(host)
    .map(store => (store.fault === undefined ? store.path : `${store.path} (not read: ${store.fault})`))
    .join(', ');
  const facts: Record<string, string> = {
    Version: version(),
    Kernel: host.kernelRelease(),
    HostName: decodeText(host.hostName()),
    Store: decodeText(storeDirectory(host)),
    ...(extra === '' ? {} : { AdditionalStores: decodeText(extra) }),
    Cgroups: controllers === undefined ? 'not unified' : `unified: ${controllers.trim()}`,
  };
  for (const tool of TOOLS) {
    facts[tool] = PATH.map(directory => `${directory}/${tool}`).find(path => host.access(path, 1)) ?? 'absent';
  }
  const format = lastValue(command, 'format') ?? '';
  const text = Object.entries(facts).map(([key, value]) => `${`${key}:`.padEnd(14)}${value}\n`);
  if (format === 'json') host.write(1, encodeText(`${JSON.stringify(facts, undefined, 4)}\n`));
  else host.write(1, encodeText(format === '' ? text.join('') : `${fillTemplate(format, facts)}\n`));
  return 0;
}
