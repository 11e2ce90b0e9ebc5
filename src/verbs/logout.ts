import { LOGOUT } from '../command/options-registry.ts';
import { isSet } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { parseLoginName } from '../image/registry/account.ts';
import { forgetAll, forgetCredentials, otherFile } from '../image/registry/auth-write.ts';
import { registryOptions } from '../image/registry/options.ts';
import { readRegistriesConf } from '../image/registry/registries-conf.ts';
import { Failure } from '../run/failure.ts';
import { commandLine } from './command-line.ts';

/** `berth logout`: what `login` keeps is forgotten. */
export function main(host: Host): number {
  const command = commandLine(host, LOGOUT);
  if (typeof command === 'number') return command;
  const { authfile } = registryOptions(command);
  const conf = readRegistriesConf(host);
  if (isSet(command, 'all')) {
    if (command.operands.length > 0) throw new Failure(125, '--all takes no registry');
    forgetAll(host, conf, authfile);
    host.write(1, 'Removed login credentials for all registries\n');
    return 0;
  }
  const { key } = parseLoginName(conf, command.operands[0]);
  if (!forgetCredentials(host, conf, authfile, key)) {
    const other = authfile === undefined ? otherFile(host, key) : undefined;
    throw new Failure(
      125,
      `not logged into ${key}${other === undefined ? '' : `; ${other} has credentials: give --authfile ${other}`}`,
    );
  }
  host.write(1, `Removed login credentials for ${key}\n`);
  return 0;
}
