import { readSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { Failure } from '../run/failure.ts';

/** Asks at the terminal for one line, as bytes; `hidden`: what is typed is not shown. Throws when standard input is none. */
export async function ask(question: string, hidden: boolean): Promise<string> {
  const { stdin } = process;
  if (!(stdin instanceof ReadStream))
    throw new Failure(
      125,
      `there is no terminal to ask for the ${question.toLowerCase()}; give --username and --password-stdin`,
    );
  // First the silence, then the question: a quick answer is not shown either.
  if (hidden) stdin.setRawMode(true);
  process.stderr.write(`${question}: `);
  try {
    return await readLine(stdin);
  } finally {
    if (hidden) {
      stdin.setRawMode(false);
      process.stderr.write('\n');
    }
    stdin.pause();
  }
}

const INTERRUPT = 3;
const END = 4;
const LINE_LIMIT = 4096;

/** In raw mode the keys that edit come as they are. */
function readLine(stdin: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = '';
    const finish = (act: () => void): void => {
      stdin.off('data', take);
      stdin.off('end', ended);
      act();
    };
    const ended = (): void => finish(() => reject(new Failure(125, 'the input ended')));
    const take = (chunk: Buffer | string): void => {
      for (const byte of Buffer.from(chunk as Buffer)) {
        if (byte === 13 || byte === 10) return finish(() => resolve(line));
        if (byte === INTERRUPT) return finish(() => reject(new Failure(130, 'interrupted')));
        if (byte === END && line === '') return ended();
        if (byte === 127 || byte === 8) line = line.slice(0, -1);
        else if (line.length < LINE_LIMIT) line += String.fromCharCode(byte);
      }
    };
    stdin.on('data', take);
    stdin.once('end', ended);
    stdin.resume();
  });
}

/** Standard input to its end, without the line ends at it. */
export function readStandardInput(): string {
  const parts: Buffer[] = [];
  const part = Buffer.alloc(LINE_LIMIT);
  for (let total = 0; total <= 1 << 20;) {
    const got = readSync(0, part);
    if (got === 0)
      return Buffer.concat(parts)
        .toString('latin1')
        .replace(/[\r\n]+$/, '');
    parts.push(Buffer.from(part.subarray(0, got)));
    total += got;
  }
  throw new Failure(125, 'standard input: more than 1 MiB, which is no password');
}
