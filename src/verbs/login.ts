import { LOGIN } from '../command/options-registry.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { checkLogin, parseLoginName, type LoginName } from '../image/registry/account.ts';
import { keepCredentials } from '../image/registry/auth-write.ts';
import { findCredentials, type Credentials } from '../image/registry/credentials.ts';
import { RegistryError } from '../image/registry/error.ts';
import { registryOptions } from '../image/registry/options.ts';
import { readRegistriesConf, type RegistriesConf } from '../image/registry/registries-conf.ts';
import type { RegistryOptions } from '../image/registry/types.ts';
import { Failure } from '../run/failure.ts';
import { ask, readStandardInput } from './ask.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';

/** `berth login`: credentials are tried first and kept only when the registry takes them. */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, LOGIN);
  if (typeof command === 'number') return command;
  const conf = readRegistriesConf(host);
  const name = parseLoginName(conf, command.operands[0]);
  const note = (line: string): void => say(host, line);
  const options = { ...registryOptions(command), note, waiting: note };
  const known = knownCredentials(host, conf, name, options);
  if (isSet(command, 'get-login')) return printLogin(host, name, known);
  const fromInput = isSet(command, 'password-stdin');
  const wanted = lastValue(command, 'username');
  if (fromInput && wanted === undefined) throw new Failure(125, '--password-stdin needs --username');
  if (!fromInput && known !== undefined && (wanted ?? known.user) === known.user) {
    if (await stillGood(host, conf, name, known, options)) {
      host.write(1, `Existing credentials are valid. Already logged in to ${name.key}\n`);
      return 0;
    }
  }
  const user = wanted ?? (await askUser(known));
  const password = fromInput ? readStandardInput() : await ask('Password', true);
  if (user === '' || password === '')
    throw new Failure(125, `${user === '' ? 'the user name' : 'the password'} is empty`);
  await checkLogin(host, conf, name, { kind: 'password', user, password }, options);
  const where = keepCredentials(host, conf, options.authfile, name.key, user, password);
  if (isSet(command, 'verbose')) host.write(1, `Used: ${where}\n`);
  host.write(1, 'Login Succeeded!\n');
  return 0;
}

/** A file that is named but not there yet is made by the login. */
function knownCredentials(
  host: Host,
  conf: RegistriesConf,
  name: LoginName,
  options: RegistryOptions,
): Credentials | undefined {
  const { authfile } = options;
  const named = authfile ?? host.environment('REGISTRY_AUTH_FILE') ?? '';
  if (named !== '' && host.stat(named) === undefined) return undefined;
  const { registry, path } = name;
  return findCredentials(host, conf, { registry, path, ...(authfile === undefined ? {} : { authfile }) });
}

function printLogin(host: Host, name: LoginName, known: Credentials | undefined): number {
  if (known === undefined) throw new Failure(125, `not logged into ${name.key}`);
  host.write(1, `${known.user === '' ? '<token>' : known.user}\n`);
  return 0;
}

async function stillGood(
  host: Host,
  conf: RegistriesConf,
  name: LoginName,
  known: Credentials,
  options: RegistryOptions,
): Promise<boolean> {
  try {
    await checkLogin(host, conf, name, known, options);
    return true;
  } catch (error) {
    if (error instanceof RegistryError && error.kind === 'unauthorized') return false;
    throw error;
  }
}

async function askUser(known: Credentials | undefined): Promise<string> {
  const answer = (await ask(known === undefined ? 'Username' : `Username (${known.user})`, false)).trim();
  return answer === '' ? (known?.user ?? '') : answer;
}
