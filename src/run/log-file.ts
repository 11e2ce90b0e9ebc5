import type { Host } from '../host/host.ts';
import { isFileDriver, logPlan, type LogFile } from '../plan/log-file.ts';
import type { RunRequest } from '../plan/request.ts';
import type { Open } from './health-start.ts';
import { Failure } from './failure.ts';
import { layerPath } from './layer.ts';

const O_APPENDING = 0o2101; // and O_CREAT: mode 0600
const O_NOFOLLOW = 0o400000;
const O_PATH = 0o10000000;
const O_DIRECTORY = 0o200000;
/** Of the file that nobody named. It goes with the container. */
const OWN_NAME = 'ctr.log';
const NAME_BYTES = 250;

/** Where the log file is going to be, and what is odd about the wish; every bad wish is refused. Makes nothing. */
export function planLogFile(
  host: Host,
  request: Pick<RunRequest, 'logDriver' | 'logOptions' | 'name'>,
  store: string,
): { readonly file?: LogFile; readonly warnings: readonly string[] } {
  const plan = logPlan(request);
  if (typeof plan === 'string') throw new Failure(125, plan);
  const { file, warnings } = plan;
  if (file === undefined) return { warnings };
  if (file.path === '') return { file: { ...file, path: `${layerPath(store, request.name)}/${OWN_NAME}` }, warnings };
  const [directory, name] = partsOf(file.path);
  if (host.stat(directory)?.kind !== 'directory' || name.length > NAME_BYTES)
    throw new Failure(125, `--log-opt path=${file.path}: ${directory} is not a directory; make it first`);
  const kind = host.lstat(file.path)?.kind;
  if (kind !== undefined && kind !== 'file')
    throw new Failure(125, `--log-opt path=${file.path}: is a ${kind}, not a plain file`);
  return { file, warnings };
}

/** Makes the file where it is not, and tries whether it can be written: the relay, which writes it, could tell nobody. */
export function makeLogFile(host: Host, file: LogFile): void {
  host.close(host.open(file.path, O_APPENDING | O_NOFOLLOW));
}

/** The relay's words about the file (native/tiny/relay-file.c). */
export function logFileWords(file: LogFile, identifier: string, open: Open): string[] {
  const [directory, name] = partsOf(file.path);
  const lost = `SYSLOG_IDENTIFIER=${identifier}\nPRIORITY=4\nMESSAGE=berth: ${printable(file.path)} takes no more: lines of the log are lost\n`;
  return [`log-file=${open(directory, O_PATH | O_DIRECTORY)},${file.most},${file.files},${name}`, `lost=${lost}`];
}

/** Its files, the oldest first; empty without one. `path` is that of the container's state. */
export function logFilesOf(host: Host, path: string | undefined): string[] {
  if (path === undefined) return [];
  const found = [path];
  for (let number = 1; host.lstat(`${path}.${number}`)?.kind === 'file'; number++) found.unshift(`${path}.${number}`);
  return found;
}

function partsOf(path: string): [directory: string, name: string] {
  const at = path.lastIndexOf('/');
  return [at === 0 ? '/' : path.slice(0, at), path.slice(at + 1)];
}

function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]/g, '?');
}

export { isFileDriver };
