import type { Host, Launched } from '../host/host.ts';
import { Failure } from './failure.ts';

/**
 * What the launcher hears from the stage (packaging/decisions/0002-processes.md). The order of the syncs is fixed, so that a
 * message that is not the awaited one is an error that names both.
 */
export interface Heard {
  /** Descriptors sent with `fd NAME` since the last sync. */
  readonly fds: Map<string, number>;
  /** Of the forked process; 0 when the stage did not fork. */
  pid: number;
}

/**
 * Waits for `at NAME`; a Failure (125) when the stage failed or ended before. `noDirectory`: the status where the payload's working
 * directory is missing (podman-run(1), exit status: it cannot be invoked).
 */
export function awaitSync(host: Host, stage: Launched, name: string, heard: Heard, noDirectory = 126): void {
  for (;;) {
    const next = host.receiveMessage(stage);
    if (next === 'closed') throw new Failure(125, `the stage ended before '${name}'`);
    const [word = '', ...rest] = next.message.split(' ');
    if (word === 'at' && rest.join(' ') === name) return;
    if (word === 'fd') keepDescriptor(heard, rest.join(' '), next.fds);
    else if (word === 'pid') keepPid(heard, rest[0], next.fds);
    else if (word === 'fail') throw new Failure(failStatus(rest, noDirectory), failText(rest));
    else throw new Failure(125, `the stage said '${next.message}' where 'at ${name}' was awaited`);
  }
}

/**
 * Before the stage is awaited that copies into new volumes: on a busy disk that may take longer than a start has. systemd is told where it
 * does, and how long it may; the result tells it that the copy is made.
 */
export function allowCopies(host: Host, stage: Launched, names: readonly string[]): () => void {
  if (names.length === 0 || host.poll([stage.control], PATIENCE).length > 0) return () => undefined;
  const told = host.notify(`STATUS=Filling volume ${names.join(', ')}\nEXTEND_TIMEOUT_USEC=${MOST}`, false);
  return () => void (told && host.notify('STATUS=', false));
}

/** Milliseconds; microseconds. */
const PATIENCE = 1000;
const MOST = 600_000_000;

/** The forked process: its number, and its pidfd as descriptor `pid`. */
function keepPid(heard: Heard, number: string | undefined, fds: readonly number[]): void {
  heard.pid = Number(number);
  keepDescriptor(heard, 'pid', fds);
}

function keepDescriptor(heard: Heard, name: string, fds: readonly number[]): void {
  const [fd] = fds;
  if (fd !== undefined) heard.fds.set(name, fd);
}

function failStatus([step, errno = '']: readonly string[], noDirectory: number): number {
  if (step !== 'cwd') return 125;
  return errno === ENOENT ? noDirectory : errno === ENOTDIR ? 126 : 125;
}

const ENOENT = '2';
const ENOTDIR = '20';

/** `STEP ERRNO TEXT` → `STEP TEXT`; TEXT names the path. */
function failText(words: readonly string[]): string {
  const text = words.slice(2).join(' ');
  return text === '' ? `${words[0] ?? 'stage'}: error ${words[1] ?? '?'}` : `${words[0] ?? ''} ${text}`;
}
