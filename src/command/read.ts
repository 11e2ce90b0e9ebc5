import type { Bytes } from '../host/host.ts';
import type { Command } from './types.ts';

/** The last value of an option; undefined when it was not given. */
export function lastValue(command: Command, name: string): Bytes | undefined {
  for (let i = command.options.length - 1; i >= 0; i--) {
    const use = command.options[i];
    if (use?.name === name) return use.value;
  }
  return undefined;
}

/** All values of an option, in order. */
export function allValues(command: Command, name: string): Bytes[] {
  return command.options.filter(use => use.name === name).map(use => use.value);
}

/** Whether a flag is set; `absent` when it was not given. */
export function isSet(command: Command, name: string, absent = false): boolean {
  const value = lastValue(command, name);
  return value === undefined ? absent : value === 'true';
}

/** The last value of a global option. */
export function globalValue(command: Command, name: string): Bytes | undefined {
  return command.globals.filter(use => use.name === name).at(-1)?.value;
}
