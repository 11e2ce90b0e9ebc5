import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';

/** Fields of an entry, as `journalctl --output=json` gives them; what is no text comes as numbers of bytes. */
export type Entry = Readonly<Record<string, unknown>>;

/** Fields of more than 4096 bytes, too: as JSON journalctl(1) gives `null` for them otherwise. */
export const WHOLE = '--all';

/**
 * Entries of the journal as they come, by journalctl(1) with these words; ends with it. `take` may be slow: then journalctl waits.
 * Nothing of it outlives us.
 */
export async function readEntries(
  words: readonly string[],
  take: (entry: Entry) => Promise<void>,
  stop?: AbortSignal,
): Promise<void> {
  const argv = ['--quiet', '--no-pager', '--output=json', ...words];
  const child = spawn('journalctl', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve());
  });
  const kill = (): void => void child.kill('SIGTERM');
  process.once('exit', kill);
  stop?.addEventListener('abort', kill);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const entry = entryOf(line);
      if (entry !== undefined) await take(entry);
      else if (line !== '' && stop?.aborted !== true) throw new Failure(125, 'journalctl: an entry that is no JSON');
    }
    await ended;
  } finally {
    process.removeListener('exit', kill);
    kill();
  }
}

/** undefined: it is none, or the beginning of one in which journalctl was killed. */
function entryOf(line: string): Entry | undefined {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}

/** For the last lines on their way from a journal's socket to its files; root can wait for them. */
export async function settled(host: Host, journals: readonly { readonly namespace: string }[]): Promise<void> {
  for (const name of host.euid === 0 ? new Set(journals.map(({ namespace }) => namespace)) : []) {
    const argv = ['journalctl', '--sync', ...(name === '' ? [] : [`--namespace=${name}`])];
    host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  }
  await new Promise(resolve => setTimeout(resolve, SETTLE_MS));
}

const SETTLE_MS = 300;

/** The words for what comes after the last entry of now: `--lines=0` would leave out what comes while journalctl begins. */
export function lastPlace(host: Host): string {
  const argv = ['journalctl', '--quiet', '--no-pager', '--output=json', '--lines=1'];
  const { stdout } = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  const cursor = /"__CURSOR":"([^"]+)"/.exec(stdout)?.[1];
  return cursor === undefined ? `--since=@${host.now()}` : `--after-cursor=${cursor}`;
}

/** A field as text; empty when it is absent. */
export function fieldOf(entry: Entry, name: string): string {
  const value = entry[name];
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? Buffer.from(value as number[]).toString('utf8') : '';
}
