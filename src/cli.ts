import { HostError, type Host } from './host/host.ts';
import { nodeHost } from './host/node.ts';
import { StandFor, standFor } from './host/node-apart.ts';
import { outliveTerminals } from './host/node-terminal.ts';
import { ImageError } from './image/error.ts';
import { Failure } from './run/failure.ts';
import { printable } from './verbs/command-line.ts';
import { unknownVerb, verbIndex } from './verbs/first-verb.ts';

/**
 * The Node half of Berth, /usr/lib/berth/cli.cjs: the verbs of which nobody waits for the milliseconds. The native program
 * executes it with its own words.
 */
type Program = (host: Host) => number | Promise<number>;

/** First words of verbs; a verb of two words looks at the second itself. */
const PROGRAMS: Readonly<Record<string, () => Promise<{ main: Program }>>> = {
  check: () => import('./verbs/check.ts'),
  container: () => import('./verbs/container.ts'),
  cp: () => import('./verbs/cp.ts'),
  diff: () => import('./verbs/diff.ts'),
  export: () => import('./verbs/export.ts'),
  commit: () => import('./verbs/commit.ts'),
  events: () => import('./verbs/events.ts'),
  attach: () => import('./verbs/attach.ts'),
  'daemon-reload': () => import('./verbs/control.ts'),
  disable: () => import('./verbs/enable.ts'),
  down: () => import('./verbs/up.ts'),
  enable: () => import('./verbs/enable.ts'),
  graph: () => import('./verbs/graph.ts'),
  history: () => import('./verbs/history.ts'),
  image: () => import('./verbs/image.ts'),
  images: () => import('./verbs/images.ts'),
  import: () => import('./verbs/import.ts'),
  info: () => import('./verbs/info.ts'),
  load: () => import('./verbs/load.ts'),
  login: () => import('./verbs/login.ts'),
  'fill-template': () => import('./verbs/fill-template.ts'),
  'logs-merged': () => import('./verbs/logs-merged.ts'),
  logout: () => import('./verbs/logout.ts'),
  mask: () => import('./verbs/enable.ts'),
  pause: () => import('./verbs/pause.ts'),
  port: () => import('./verbs/port.ts'),
  plan: () => import('./verbs/up.ts'),
  pull: () => import('./verbs/pull-fetch.ts'),
  push: () => import('./verbs/push.ts'),
  quadlet: () => import('./verbs/quadlet.ts'),
  rename: () => import('./verbs/rename.ts'),
  rmi: () => import('./verbs/rmi.ts'),
  save: () => import('./verbs/save.ts'),
  search: () => import('./verbs/search.ts'),
  stats: () => import('./verbs/stats.ts'),
  status: () => import('./verbs/status.ts'),
  system: () => import('./verbs/system.ts'),
  tag: () => import('./verbs/tag.ts'),
  top: () => import('./verbs/top.ts'),
  up: () => import('./verbs/up.ts'),
  'start-attached': () => import('./verbs/start-attached.ts'),
  'unit-job': () => import('./verbs/control.ts'),
  unmask: () => import('./verbs/enable.ts'),
  unpause: () => import('./verbs/pause.ts'),
  untag: () => import('./verbs/untag.ts'),
  update: () => import('./verbs/update.ts'),
  version: () => import('./verbs/info.ts'),
  why: () => import('./verbs/status.ts'),
};

void start();

async function start(): Promise<void> {
  const host = nodeHost();
  outliveTerminals();
  process.stdout.on('error', () => process.exit(0));
  try {
    process.exitCode = await run(host);
  } catch (error) {
    const { status, lines } = explain(error);
    for (const line of lines) host.write(2, `berth: ${printable(line)}\n`);
    if (process.env['BERTH_DEBUG'] === '1' && error instanceof Error) host.write(2, `${error.stack ?? ''}\n`);
    process.exitCode = status;
  }
}

async function run(host: Host): Promise<number> {
  const words = host.argv.slice(1);
  const verb = words[verbIndex(words)] ?? '';
  const program = Object.hasOwn(PROGRAMS, verb) ? PROGRAMS[verb] : undefined;
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
