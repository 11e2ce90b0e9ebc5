import { HostError, type Host } from './host/host.ts';
import { nodeHost } from './host/node.ts';
import { StandFor, standFor } from './host/node-apart.ts';
import { outliveTerminals } from './host/node-terminal.ts';
import { ImageError } from './image/error.ts';
import { Failure } from './run/failure.ts';
import { printable } from './verbs/command-line.ts';
import { unknownVerb, verbIndex } from './verbs/first-verb.ts';

type Program = (host: Host) => number | Promise<number>;
/** By the first words of verbs. */
export type Programs = Readonly<Record<string, () => Promise<{ main: Program }>>>;

export async function start(programs: Programs): Promise<void> {
  const host = nodeHost();
  outliveTerminals();
  process.stdout.on('error', () => process.exit(0));
  try {
    process.exitCode = await run(host, programs);
  } catch (error) {
    const { status, lines } = explain(error);
    for (const line of lines) host.write(2, `berth: ${printable(line)}\n`);
    if (process.env['BERTH_DEBUG'] === '1' && error instanceof Error) host.write(2, `${error.stack ?? ''}\n`);
    process.exitCode = status;
  }
}

async function run(host: Host, programs: Programs): Promise<number> {
  const words = host.argv.slice(1);
  const verb = words[verbIndex(words)] ?? '';
  const program = Object.hasOwn(programs, verb) ? programs[verb] : undefined;
  if (program === undefined) throw new Failure(125, unknownVerb(words));
  const { main } = await program();
  try {
    return await main(host);
  } catch (error) {
    if (error instanceof StandFor) return standFor(error);
    throw error;
  }
}

/** What went wrong, for people: one line each, never a stack. */
function explain(error: unknown): { status: number; lines: readonly string[] } {
  if (error instanceof Failure) return { status: error.status, lines: error.lines };
  if (error instanceof ImageError || error instanceof HostError) return { status: 125, lines: [error.message] };
  if (isSystemError(error))
    return { status: 125, lines: [`${error.path ?? error.syscall ?? 'system'}: ${wordsOf(error)}`] };
  return { status: 125, lines: [`internal error: ${error instanceof Error ? error.message : String(error)}`] };
}

/** Of `ENOENT: no such file or directory, open '/x'` the words. */
function wordsOf({ message, code = '' }: NodeJS.ErrnoException): string {
  return /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? code;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string' && 'syscall' in error;
}
