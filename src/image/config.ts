import { parseJson } from '../base/json.ts';
import { parseDigest } from './digest.ts';
import { ImageError } from './error.ts';
import type { Digest, ImageConfig } from './types.ts';

/** What counts of an image's configuration; nothing else of it reaches a container (T14). */
export interface ImageFacts {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly created: string;
  /** Diff ids, lowest layer first. */
  readonly layers: readonly Digest[];
  readonly config: ImageConfig;
}

/**
 * Reads an OCI image configuration, or Docker's, from UTF-8 bytes. Strings stay byte strings.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties; throws ImageError naming the key.
 */
export function parseImageConfig(bytes: string): ImageFacts {
  const top = objectOf(parseDocument(bytes, "the image's configuration"), "the image's configuration");
  const config = objectOf(top['config'] ?? {}, 'config');
  const variant = textOf(top, 'variant');
  return {
    architecture: textOf(top, 'architecture'),
    os: textOf(top, 'os'),
    ...(variant === '' ? {} : { variant }),
    created: textOf(top, 'created'),
    layers: layersOf(top),
    config: {
      entrypoint: wordsOf(config, 'Entrypoint'),
      command: wordsOf(config, 'Cmd'),
      environment: wordsOf(config, 'Env'),
      user: textOf(config, 'User'),
      workingDirectory: textOf(config, 'WorkingDir'),
      exposedPorts: Object.keys(objectOf(config['ExposedPorts'] ?? {}, 'ExposedPorts')),
      volumes: Object.keys(objectOf(config['Volumes'] ?? {}, 'Volumes')),
      stopSignal: textOf(config, 'StopSignal'),
      labels: labelsOf(config),
      ...healthcheckOf(config),
    },
  };
}

/** JSON of a stranger: at most 8 MiB (T34), checked by the caller; one line when it is none. */
export function parseDocument(bytes: string, what: string): unknown {
  if (isDeep(bytes)) throw new ImageError(`${what} is nested more than ${DEPTH_LIMIT} deep`);
  try {
    return parseJson(bytes);
  } catch {
    throw new ImageError(`${what} is not JSON`);
  }
}

/** What reads it now may manage any depth, what writes it again does not. */
const DEPTH_LIMIT = 100;

/** One pass, for the text is a stranger's: a pattern for whole texts goes back to each quote of one that never ends. */
function isDeep(bytes: string): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length && depth <= DEPTH_LIMIT; at++) {
    const mark = bytes[at];
    if (mark === '"') inText = !inText;
    else if (inText) at += mark === '\\' ? 1 : 0;
    else if (mark === '[' || mark === '{') depth++;
    else if (mark === ']' || mark === '}') depth--;
  }
  return depth > DEPTH_LIMIT;
}

export function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ImageError(`${what} is not an object`);
}

export function listOf(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new ImageError(`${what} is not a list`);
}

/** A text, empty when absent or null. A NUL cannot stand in any argument or variable. */
export function textOf(object: Record<string, unknown>, key: string): string {
  return checkText(object[key] ?? '', key);
}

/** More layers than overlayfs takes. */
const LAYER_LIMIT = 500;

function checkText(value: unknown, key: string): string {
  if (typeof value !== 'string' || value.includes('\0'))
    throw new ImageError(`the image's configuration: ${key} is not a text`);
  return value;
}

/** A list of words; Docker's oldest images have one text instead. */
function wordsOf(object: Record<string, unknown>, key: string): string[] {
  const value = object[key] ?? [];
  if (typeof value === 'string') return [checkText(value, key)];
  return listOf(value, `the image's configuration: ${key}`).map(word => checkText(word, key));
}

function layersOf(top: Record<string, unknown>): Digest[] {
  const rootfs = objectOf(top['rootfs'], "the image's configuration: rootfs");
  const ids = listOf(rootfs['diff_ids'] ?? [], "the image's configuration: diff_ids");
  if (ids.length > LAYER_LIMIT) throw new ImageError(`the image has ${ids.length} layers, the limit is ${LAYER_LIMIT}`);
  return ids.map(id => {
    const digest = parseDigest(id);
    if (digest === undefined)
      throw new ImageError("the image's configuration: diff_ids holds something that is no digest");
    return digest;
  });
}

function labelsOf(config: Record<string, unknown>): Record<string, string> {
  const labels = objectOf(config['Labels'] ?? {}, "the image's configuration: Labels");
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, checkText(value ?? '', 'Labels')]));
}

function healthcheckOf(config: Record<string, unknown>): Pick<ImageConfig, 'healthcheck'> {
  if (config['Healthcheck'] === undefined || config['Healthcheck'] === null) return {};
  const check = objectOf(config['Healthcheck'], "the image's configuration: Healthcheck");
  const number = (from: string, to: string): Record<string, number> => {
    const value = check[from];
    return typeof value === 'number' && Number.isFinite(value) && value > 0 ? { [to]: value } : {};
  };
  return {
    healthcheck: {
      test: wordsOf(check, 'Test'),
      ...number('Interval', 'interval'),
      ...number('Timeout', 'timeout'),
      ...number('StartPeriod', 'startPeriod'),
      ...number('Retries', 'retries'),
    },
  };
}
