import { allValues, isSet } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { listContainers } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';

/** The containers a command means: its operands, those of --cidfile, --all, or those that `ps --all` shows with the same --filter. */
export function selectContainers(host: Host, command: Command): string[] {
  const ids = allValues(command, 'cidfile').flatMap(file => readId(host, command, file));
  const words = [...command.operands, ...ids];
  const filters = allValues(command, 'filter');
  if (filters.length > 0) {
    if (words.length > 0) throw new Failure(125, '--filter and container names exclude each other');
    return matching(host, filters);
  }
  if (!isSet(command, 'all')) {
    if (words.length === 0 && allValues(command, 'cidfile').length === 0)
      throw new Failure(125, 'name at least one container');
    return words;
  }
  if (words.length > 0) throw new Failure(125, '--all and container names exclude each other');
  return listContainers(host).map(container => container.name);
}

/** `berth ps` knows the filters: what a unit's stop needs in memory stays small. */
function matching(host: Host, filters: readonly string[]): string[] {
  const program = host.readlink('/proc/self/exe');
  const words = filters.map(filter => `--filter=${filter}`);
  const argv = [program, 'ps', '--all', '--format={{.Names}}', ...words];
  const { status, stdout, stderr } = host.run({
    argv,
    environment: host.environmentList(),
    stdout: 'capture',
    stderr: 'capture',
  });
  if (status !== 0) throw new Failure(125, stderr.trim().replace(/^berth: /, ''));
  return stdout.split('\n').filter(name => name !== '');
}

function readId(host: Host, command: Command, file: string): string[] {
  const text = host.readFileIfExists(file, 4096);
  if (text !== undefined) return [text.trim()];
  if (isSet(command, 'ignore')) return [];
  throw new Failure(125, `${file}: no such file`);
}

/** Whole seconds, -1 for no limit (a day is enough: nobody waits longer for a signal to be honoured). */
export function secondsOf(text: string): number {
  const seconds = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(seconds)) throw new Failure(125, `--time ${text}: not a number of seconds`);
  return seconds < 0 ? 86_400 : seconds;
}
