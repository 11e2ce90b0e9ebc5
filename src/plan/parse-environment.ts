import { parseJson } from '../base/json.ts';
import { bad, type Draft, type Reader } from './draft.ts';
import { cut } from './parse-values.ts';

/** What systemd tells a service about itself; with --env-host it must not reach the payload (T35). */
const SYSTEMD = [
  'BERTH_CONTAINER_ID',
  'CREDENTIALS_DIRECTORY',
  'FDSTORE',
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'LISTEN_FDNAMES',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_PIDFDID',
  'MAINPID',
  'MANAGERPID',
  'MANAGERPIDFDID',
  'MEMORY_PRESSURE_WATCH',
  'MEMORY_PRESSURE_WRITE',
  'NOTIFY_SOCKET',
  'PODMAN_SYSTEMD_UNIT',
  'SYSTEMD_EXEC_PID',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
];

/** `--env NAME=VALUE`, `NAME` or `PREFIX*` from our environment. */
export function parseEnv(draft: Draft, value: string): void {
  const wrong = readEnvLine(draft.reader, value, draft.request.environment);
  if (wrong !== undefined) bad(draft, 'env', value, wrong, 'write NAME=VALUE');
}

/**
 * `--env-file FILE`: one NAME=VALUE per line, `#` comments, blanks before a line dropped, nothing unquoted or expanded
 * (Podman's pkg/env).
 */
export function parseEnvFile(draft: Draft, path: string): void {
  readLines(draft, 'env-file', path, line => readEnvLine(draft.reader, line, draft.fileEnvironment));
}

/** `--label-file FILE`: as an env-file, also in that a name alone takes the value of our environment; `--label` wins. */
export function parseLabelFile(draft: Draft, path: string): void {
  const pairs: string[] = [];
  readLines(draft, 'label-file', path, line => {
    const [name] = cut(line, '=');
    return /[ \t]/.test(name) ? 'the name holds a blank' : readEnvLine(draft.reader, line, pairs);
  });
  for (const pair of pairs) {
    const [name, value = ''] = cut(pair, '=');
    draft.fileLabels[name] = value;
  }
}

/** Lines that say something; `read` returns what is wrong with one. */
function readLines(draft: Draft, option: string, path: string, read: (line: string) => string | undefined): void {
  const text = draft.reader.readFile(path);
  if (text === undefined) return bad(draft, option, path, 'the file cannot be read');
  if (text.includes('\0')) return bad(draft, option, path, 'the file holds a NUL byte');
  let number = 0;
  for (const raw of text.split('\n')) {
    number++;
    const line = trimStart(raw.endsWith('\r') ? raw.slice(0, -1) : raw);
    if (line === '' || line.startsWith('#')) continue;
    const wrong = read(line);
    if (wrong !== undefined) bad(draft, option, `${path}:${number}`, wrong, 'write NAME=VALUE');
  }
}

/** Appends what a line gives; returns what is wrong with it. */
function readEnvLine(reader: Reader, line: string, into: string[]): string | undefined {
  const [key, value] = cut(line, '=');
  const name = trimStart(key);
  if (name === '') return 'the name is empty';
  if (value !== undefined) into.push(`${name}=${value}`);
  else if (name.endsWith('*')) {
    const prefix = name.slice(0, -1);
    for (const entry of reader.environmentList()) if (entry.startsWith(prefix)) into.push(entry);
  } else {
    const ours = reader.environment(name);
    if (ours !== undefined) into.push(`${name}=${ours}`);
  }
  return undefined;
}

/** Puts environment and labels together: ours (--env-host), env-files, --env; a later one wins. */
export function finishEnvironment(draft: Draft): void {
  const { request, reader, fileEnvironment } = draft;
  request.labels = { ...draft.fileLabels, ...request.labels };
  if (!request.environmentHost && fileEnvironment.length === 0) return;
  const ours = request.environmentHost
    ? reader.environmentList().filter(entry => !SYSTEMD.includes(cut(entry, '=')[0]))
    : [];
  request.environment = [...ours, ...fileEnvironment, ...request.environment];
}

/** `NAME=VALUE` of labels and annotations; a name alone has an empty value. */
export function parsePair(draft: Draft, option: string, text: string, into: Record<string, string>): void {
  const [name, value = ''] = cut(text, '=');
  if (name === '') return bad(draft, option, text, 'the name is empty', 'write NAME=VALUE');
  into[name] = value;
}

function trimStart(text: string): string {
  let at = 0;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at === 0 ? text : text.slice(at);
}

/** `--entrypoint`: a JSON array of words, or one word; empty clears the image's. */
export function parseEntrypoint(draft: Draft, value: string): void {
  const words = value.startsWith('[') ? readArray(value) : undefined;
  if (words?.some(word => word.includes('\0'))) return bad(draft, 'entrypoint', value, 'a word holds a NUL byte');
  draft.request.entrypoint = words ?? (value === '' ? [] : [value]);
}

function readArray(text: string): string[] | undefined {
  try {
    const value = parseJson(text);
    return Array.isArray(value) && value.every(word => typeof word === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}
