import { globalValue, isSet, lastValue } from '../../command/read.ts';
import type { Command } from '../../command/types.ts';
import type { AccessOptions } from './access-options.ts';
import { RegistryError } from './error.ts';

/** The options of a command line that are about registries: --authfile, --cert-dir, --creds, --tls-verify, --retry, --retry-delay. */
export function registryOptions(command: Command): AccessOptions {
  const config = globalValue(command, 'config');
  const authfile = lastValue(command, 'authfile') ?? (config === undefined ? undefined : `${config}/config.json`);
  const creds = lastValue(command, 'creds');
  const certDir = lastValue(command, 'cert-dir');
  const retry = lastValue(command, 'retry');
  const delay = lastValue(command, 'retry-delay');
  return {
    ...(authfile === undefined ? {} : { authfile }),
    ...(creds === undefined ? {} : { creds }),
    ...(certDir === undefined ? {} : { certDir }),
    ...(lastValue(command, 'tls-verify') === undefined ? {} : { tlsVerify: isSet(command, 'tls-verify') }),
    ...(retry === undefined ? {} : { retry: retryCount(retry) }),
    ...(delay === undefined ? {} : { retryDelay: parseDelay(delay) }),
  };
}

function retryCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= 1000) return count;
  throw new RegistryError('configuration', `--retry: ${text} is not a number from 0 to 1000`);
}

/** Seconds of `500ms`, `2s`, `1m30s`, as Go writes durations; a bare number counts seconds. */
export function parseDelay(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text)
    throw new RegistryError('configuration', `--retry-delay: ${text} is not a time such as 2s`);
  return parts.reduce((sum, [, value, unit = 's']) => sum + Number(value) * (UNITS[unit] ?? 1), 0);
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };
