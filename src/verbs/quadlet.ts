import { QUADLET_INSTALL, QUADLET_LIST, QUADLET_PRINT, QUADLET_RM } from '../command/options-admin.ts';
import { searchDirectories, search } from '../unit/search.ts';
import type { Host } from '../host/host.ts';
import { commandLine } from './command-line.ts';
import { installUnits } from './quadlet-install.ts';
import { listUnits } from './quadlet-list.ts';
import { removeUnits } from './quadlet-rm.ts';

/** `berth quadlet print|list|install|rm`, and their other names. */
export function main(host: Host): number | Promise<number> {
  const at = host.argv.indexOf('quadlet');
  const action = ALIASES[host.argv[at + 1] ?? ''] ?? '';
  const words = host.argv.map((word, i) => (i === at + 1 ? action : word));
  const named: Host = { ...host, argv: words };
  switch (action) {
    case 'print':
      return print(named);
    case 'list':
      return listUnits(named, commandLine(named, QUADLET_LIST));
    case 'install':
      return installUnits(named, commandLine(named, QUADLET_INSTALL));
    case 'rm':
      return removeUnits(named, commandLine(named, QUADLET_RM));
    default:
      host.write(2, 'berth: quadlet: write print, list, install or rm behind it\n');
      return 125;
  }
}

const ALIASES: Readonly<Record<string, string>> = {
  print: 'print',
  cat: 'print',
  list: 'list',
  ls: 'list',
  install: 'install',
  rm: 'rm',
  remove: 'rm',
};

/** The file as it is. */
function print(host: Host): number {
  const command = commandLine(host, QUADLET_PRINT);
  if (typeof command === 'number') return command;
  const [name = ''] = command.operands;
  const user = host.uid !== 0;
  const found = search(host, searchDirectories(host, user), user).units.find(unit => unit.name === name);
  if (found === undefined) {
    host.write(2, `berth: quadlet print: ${name}: no such unit file in the search path\n`);
    return 125;
  }
  host.write(1, host.readFile(found.path));
  return 0;
}
