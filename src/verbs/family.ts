import { helpOfAll } from '../command/help.ts';
import { nearest } from '../base/suggest.ts';
import type { VerbRow } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { commandLine, printable } from './command-line.ts';
import { atEdge, type Body } from './edge.ts';

/** Other names that the peer has. */
const ALIASES: Readonly<Record<string, string>> = { list: 'ls', remove: 'rm', umount: 'unmount', ps: 'ls' };

/**
 * A program that serves all verbs of two words with one first word: `volume create`, `volume ls`, …. `bodies` is keyed by the second
 * word. Without one it prints the list.
 */
export function family(
  name: string,
  rows: readonly VerbRow[],
  bodies: Readonly<Record<string, Body>>,
): (host: Host) => number {
  return host =>
    atEdge(host, () => {
      const at = host.argv.indexOf(name) + 1;
      const word = host.argv[at] ?? '';
      if (word === '' || word === '--help' || word === '-h') {
        host.write(word === '' ? 2 : 1, helpOfAll(rows));
        return word === '' ? 125 : 0;
      }
      const known = bodies[word] === undefined ? (ALIASES[word] ?? word) : word;
      const row = rows.find(one => one.name === `${name} ${known}`);
      const body = bodies[known];
      if (row === undefined || body === undefined) throw unknown(name, word, rows);
      const argv = [...host.argv.slice(0, at), known, ...host.argv.slice(at + 1)];
      const command = commandLine(Object.setPrototypeOf({ argv }, host) as Host, row);
      return typeof command === 'number' ? command : body(host, command);
    });
}

function unknown(name: string, word: string, rows: readonly VerbRow[]): Failure {
  const near = nearest(
    word,
    rows.map(row => row.name.slice(name.length + 1)),
  );
  const hint = near === undefined ? `'berth ${name} --help' lists them` : `did you mean ${near}?`;
  return new Failure(125, `${name} ${printable(word)}: no such verb; ${hint}`);
}
