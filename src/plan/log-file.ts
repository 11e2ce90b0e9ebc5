import type { RunRequest } from './request.ts';
import { readInteger, readSize } from './parse-values.ts';

/** The file that the log drivers `k8s-file` and `json-file` write; both write the records of Kubernetes, as Podman's do. */
export interface LogFile {
  /** Absolute; empty: in the container's directory of the store. */
  readonly path: string;
  /** Bytes that the file has at most; 0: no limit. */
  readonly most: number;
  /** How many files there are at most: `PATH`, `PATH.1` (the one before), … */
  readonly files: number;
}

interface LogPlan {
  /** Absent: the lines go elsewhere. */
  readonly file?: LogFile;
  readonly warnings: readonly string[];
}

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  journald: ['tag'],
  'k8s-file': ['path', 'max-size', 'max-file', 'tag'],
  'json-file': ['path', 'max-size', 'max-file', 'tag'],
};
/** Two files unless said otherwise: what was said last is not lost with a rotation. */
const FILES = 2;
const MOST_FILES = 1000;

/** What `--log-driver` and `--log-opt` ask for; a text says what is wrong. An option that the driver has no use for is a warning, as moved units have some. */
export function logPlan(request: Pick<RunRequest, 'logDriver' | 'logOptions'>): LogPlan | string {
  const known = OPTIONS[request.logDriver] ?? [];
  const wishes: Record<string, string> = {};
  const warnings: string[] = [];
  for (const option of request.logOptions) {
    const at = option.indexOf('=');
    const name = option.slice(0, at);
    if (known.includes(name)) wishes[name] = option.slice(at + 1);
    else warnings.push(`--log-opt ${name}: the log driver ${request.logDriver} has no such option; it is left out`);
  }
  if (!isFileDriver(request.logDriver)) return { warnings };
  const { path = '' } = wishes;
  if (path !== '' && (!path.startsWith('/') || path.endsWith('/')))
    return `--log-opt path=${path}: not the absolute path of a file`;
  const most = wishes['max-size'] === undefined ? 0 : readSize(wishes['max-size']);
  if (most === undefined) return `--log-opt max-size=${wishes['max-size'] ?? ''}: not a size such as 10m`;
  const files = wishes['max-file'] === undefined ? FILES : readInteger(wishes['max-file'], 1, MOST_FILES);
  if (files === undefined)
    return `--log-opt max-file=${wishes['max-file'] ?? ''}: not a number from 1 to ${MOST_FILES}`;
  return { file: { path, most, files }, warnings };
}

export function isFileDriver(driver: string): boolean {
  return driver === 'k8s-file' || driver === 'json-file';
}
