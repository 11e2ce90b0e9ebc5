import { statSync, realpathSync } from 'node:fs';
import { CP } from '../command/options-seeing.ts';
import { isSet } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { joinPrograms, programPath, runLayer } from '../image/archive/program.ts';
import type { Spec } from '../plan/spec.ts';
import { requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { commandLine } from './command-line.ts';
import { baseName, landing, parsePlace, type Kind, type Place } from './cp-places.ts';

/**
 * `berth cp`: files into containers and out of them, running or not. Both ends are programs of ours that are shut in where they read or
 * write (native/transfer.c, native/layer-write.c); between them goes a tar stream.
 */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, CP);
  if (typeof command === 'number') return command;
  const [from, to] = command.operands.map(word => parsePlace(word)) as [Place, Place];
  if (from.container === undefined && to.container === undefined)
    throw new Failure(125, 'neither is in a container; write CONTAINER:PATH');
  for (const place of [from, to]) if (place.container !== undefined) requireContainer(host, place.container);
  if (from.word === '-') await archiveInto(host, command, to);
  else if (to.word === '-') await archiveOf(host, from);
  else await copy(host, command, from, to);
  return 0;
}

async function copy(host: Host, command: Command, from: Place, to: Place): Promise<void> {
  const kind = await kindOf(from);
  if (kind === 'absent') throw new Failure(125, `${from.word}: no such file or directory`);
  if (kind === 'other') throw new Failure(125, `${from.word}: neither a file nor a directory`);
  const { directory, name } = await landing({ from, to, kind, overwrite: isSet(command, 'overwrite'), kindOf });
  await joinPrograms(readWords(from, name), [programPath(), 'layer', ...writeWords(host, command, to, directory)]);
}

function readWords(from: Place, name: string): string[] {
  const words =
    from.container === undefined
      ? ['host-read', `path=${realpathSync(text(from.path))}`]
      : ['container-read', `container=${from.container}`, `path=${text(from.path)}`];
  return [programPath(), 'layer', ...words, `name=${text(name)}`];
}

function writeWords(host: Host, command: Command, to: Place, directory: string): string[] {
  const overwrite = isSet(command, 'overwrite') ? ['overwrite=1'] : [];
  if (to.container === undefined) return ['host-write', `path=${realpathSync(text(directory))}`, ...overwrite];
  const owner = isSet(command, 'archive', true) ? ownerOf(host, to.container) : [];
  return ['container-write', `container=${to.container}`, `path=${text(directory)}`, ...owner, ...overwrite];
}

/** The payload's user, as the peer has it. */
function ownerOf(host: Host, word: string): string[] {
  const { bundle } = requireContainer(host, word);
  const user = (JSON.parse(host.readFile(`${bundle}/config.json`)) as Spec).process?.user;
  return [`uid=${user?.uid ?? 0}`, `gid=${user?.gid ?? 0}`];
}

async function archiveInto(host: Host, command: Command, to: Place): Promise<void> {
  const kind = await kindOf(to);
  if (kind !== 'directory') throw new Failure(125, `${to.word}: an archive goes to a directory that is there`);
  const said = await runLayer(writeWords(host, command, to, to.path), { stdin: 0 });
  host.write(1, said);
}

async function archiveOf(host: Host, from: Place): Promise<void> {
  if (host.isTerminal(1)) throw new Failure(125, 'no archive is written to a terminal; redirect standard output');
  const kind = await kindOf(from);
  if (kind === 'absent') throw new Failure(125, `${from.word}: no such file or directory`);
  const [, , ...words] = readWords(from, from.content ? '' : baseName(from));
  await runLayer(words, { stdout: 1 });
}

async function kindOf(place: Place): Promise<Kind> {
  if (place.container !== undefined) {
    const words = ['container-stat', `container=${place.container}`, `path=${text(place.path)}`];
    return (await runLayer(words)).trim() as Kind;
  }
  const stat = statSync(text(place.path), { throwIfNoEntry: false });
  return stat === undefined ? 'absent' : stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other';
}

/** Words of a program are text for Node. */
const text = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');
