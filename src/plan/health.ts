import type { ImageConfig } from '../image/types.ts';
import type { RunRequest } from './request.ts';
import { readDuration, readInteger } from './parse-values.ts';

/** One question to the payload. Times in milliseconds. */
export interface Check {
  readonly kind: 'exec' | 'port' | 'http' | 'unix';
  /** Of an exec. */
  readonly command: readonly string[];
  /** `5432`, `8080/ready`, `/run/app.sock`. */
  readonly target: string;
  /** 0: never by itself. */
  readonly interval: number;
  readonly timeout: number;
  readonly retries: number;
  readonly successes: number;
}

/** What the relay of a container asks; see packaging/decisions for the order. */
export interface HealthPlan {
  readonly ready?: Check;
  readonly startup?: Check;
  readonly health?: Check;
  /** Milliseconds in which failures do not count. */
  readonly startPeriod: number;
  readonly onFailure: 'none' | 'kill' | 'stop';
  readonly logCount: number;
  readonly logSize: number;
  /** Where results are kept; empty: in the bundle. */
  readonly logDirectory: string;
}

const DEFAULT_TIME = 30_000;
/** READY is asked as long as systemd waits. */
const READY_TIMEOUT = 5000;
const MOST_LOG = { count: 100, size: 8192 };

/**
 * The checks of a container (podman-run(1), --health-*): the options' own, or the image's HEALTHCHECK with what the options say otherwise.
 * undefined: there are none. A string: what is wrong.
 */
export function healthPlan(request: RunRequest, image?: ImageConfig): HealthPlan | undefined | string {
  const { health: wishes, readiness } = request;
  const off = wishes['disable'] === 'true';
  if (off && wishes['cmd'] !== undefined) return '--no-healthcheck excludes --health-cmd';
  const health = off ? undefined : regular(wishes, image?.healthcheck);
  const startup = off ? undefined : startupCheck(wishes);
  if (startup !== undefined && health === undefined) return '--health-startup-cmd needs a --health-cmd';
  if (request.sdnotify === 'healthy' && health === undefined)
    return '--sdnotify healthy needs a health check: add --health-cmd (HealthCmd=)';
  const ready = readiness === undefined ? undefined : { ...connection(readiness), ...READY };
  if (health === undefined && ready === undefined) return undefined;
  const startPeriod = milliseconds(wishes['start-period']) ?? fromImage(image?.healthcheck?.startPeriod) ?? 0;
  return {
    ...(ready === undefined ? {} : { ready }),
    ...(startup === undefined ? {} : { startup }),
    ...(health === undefined ? {} : { health }),
    startPeriod,
    onFailure: onFailureOf(wishes['on-failure']),
    logCount: limited(wishes['max-log-count'], 5, MOST_LOG.count),
    logSize: limited(wishes['max-log-size'], 500, MOST_LOG.size),
    logDirectory: wishes['log-destination']?.startsWith('/') === true ? wishes['log-destination'] : '',
  };
}

const READY = { interval: 5000, timeout: READY_TIMEOUT, retries: 0, successes: 1 };

/** `port:N`, `http:N/PATH` or `unix:PATH`; undefined: something else. */
export function readConnection(text: string): Pick<Check, 'kind' | 'target'> | undefined {
  const match = /^(port:[0-9]{1,5}|http:[0-9]{1,5}(\/[\x21-\x7e]*)?|unix:\/.+)$/.exec(text);
  if (match === null) return undefined;
  const at = text.indexOf(':');
  const kind = text.slice(0, at) as 'port' | 'http' | 'unix';
  const target = text.slice(at + 1);
  const port = parseInt(target, 10);
  if (kind === 'unix') return target.length < 108 ? { kind, target } : undefined;
  return port >= 1 && port <= 65535 && target.length < 500 ? { kind, target } : undefined;
}

function connection(text: string): Pick<Check, 'kind' | 'target' | 'command'> {
  return { command: [], ...(readConnection(text) ?? { kind: 'port', target: '0' }) };
}

/**
 * `--health-cmd`: a JSON array of words (`CMD`, `CMD-SHELL`, `NONE` first, or a command), a connection as for `--sdnotify`, or a line for
 * `/bin/sh -c`. undefined: no check.
 */
export function readCheckCommand(text: string): Pick<Check, 'kind' | 'target' | 'command'> | undefined {
  if (readConnection(text) !== undefined) return connection(text);
  const words = jsonWords(text);
  if (words === undefined) {
    const [first = '', ...rest] = text.split(/\s+/).filter(word => word !== '');
    if (first.toUpperCase() === 'NONE' && rest.length === 0) return undefined;
    if (first === 'CMD') return ofTest([first, ...rest]);
    if (first === 'CMD-SHELL') return ofTest([first, text.trimStart().slice(first.length).trimStart()]);
    return ofTest(['CMD-SHELL', text]);
  }
  const [first = ''] = words;
  if (['CMD', 'CMD-SHELL', 'NONE'].includes(first.toUpperCase())) return ofTest(words);
  return words.length === 1 ? ofTest(['CMD-SHELL', first]) : ofTest(['CMD', ...words]);
}

function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every(word => typeof word === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The image's form, as Docker defined it. */
function ofTest(test: readonly string[]): Pick<Check, 'kind' | 'target' | 'command'> | undefined {
  const [first = '', ...rest] = test;
  const kind = first.toUpperCase();
  if (kind === '' || kind === 'NONE') return undefined;
  const command = kind === 'CMD' ? rest : kind === 'CMD-SHELL' ? ['/bin/sh', '-c', rest.join(' ')] : test;
  return command.length === 0 || (kind === 'CMD-SHELL' && rest.join('') === '')
    ? undefined
    : { kind: 'exec', target: '', command };
}

type Wishes = Readonly<Record<string, string>>;

function regular(wishes: Wishes, image: ImageConfig['healthcheck']): Check | undefined {
  const own = wishes['cmd'];
  const what = own === undefined ? ofTest(image?.test ?? []) : readCheckCommand(own);
  if (what === undefined) return undefined;
  return {
    ...what,
    interval: intervalOf(wishes['interval']) ?? fromImage(image?.interval) ?? DEFAULT_TIME,
    timeout: milliseconds(wishes['timeout']) ?? fromImage(image?.timeout) ?? DEFAULT_TIME,
    retries: readInteger(wishes['retries'] ?? '', 1, 1e9) ?? image?.retries ?? 3,
    successes: 0,
  };
}

function startupCheck(wishes: Wishes): Check | undefined {
  const what = wishes['startup-cmd'] === undefined ? undefined : readCheckCommand(wishes['startup-cmd']);
  if (what === undefined) return undefined;
  return {
    ...what,
    interval: intervalOf(wishes['startup-interval']) ?? DEFAULT_TIME,
    timeout: milliseconds(wishes['startup-timeout']) ?? DEFAULT_TIME,
    retries: readInteger(wishes['startup-retries'] ?? '', 0, 1e9) ?? 0,
    successes: readInteger(wishes['startup-success'] ?? '', 0, 1e9) ?? 0,
  };
}

function milliseconds(text: string | undefined): number | undefined {
  const seconds = text === undefined ? undefined : readSeconds(text);
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}

function intervalOf(text: string | undefined): number | undefined {
  return text === 'disable' ? 0 : milliseconds(text);
}

/** A duration; a bare number is seconds, as in Podman. */
export function readSeconds(text: string): number | undefined {
  return /^[0-9]+$/.test(text) ? readInteger(text, 0, 1e9) : readDuration(text);
}

/** Nanoseconds of an image. */
function fromImage(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.max(1, Math.round(value / 1e6));
}

function onFailureOf(text: string | undefined): HealthPlan['onFailure'] {
  // The restart is systemd's: the generator writes Restart=always where the unit says nothing.
  if (text === 'restart' || text === 'stop') return 'stop';
  return text === 'kill' ? 'kill' : 'none';
}

/** 0 means without a limit to Podman; the relay has one. */
function limited(text: string | undefined, standard: number, most: number): number {
  const value = readInteger(text ?? '', 0, 1e9) ?? standard;
  return value === 0 || value > most ? most : value;
}
