import { lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { ImageError } from '../image/error.ts';
import { ask } from './ask.ts';

/** The command with the password that `--creds USER` leaves out, asked for at the terminal. */
export async function askCreds(host: Host, command: Command): Promise<Command> {
  const user = lastValue(command, 'creds');
  if (user === undefined || user === '' || user.includes(':')) return command;
  if (!host.isTerminal(0))
    throw new ImageError(
      `--creds ${user}: there is no terminal to ask for the password; write USER:PASSWORD, or use berth login`,
    );
  const password = await ask('Password', true);
  if (password === '') throw new ImageError(`--creds ${user}: the password is empty`);
  return { ...command, options: [...command.options, { name: 'creds', value: `${user}:${password}` }] };
}
