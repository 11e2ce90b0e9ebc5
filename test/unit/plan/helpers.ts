import type { Command } from '../../../src/command/types.ts';
import { parseRunRequest, type Reader } from '../../../src/plan/request-parse.ts';
import type { RunRequest } from '../../../src/plan/request.ts';

const FILES = new Map([
  ['/e.env', '# c\n  A=1\nB=x y # z\r\n\nHOME\nP_*\nC="q"\n'],
  ['/l.labels', '# c\nA=1\n  HOME\nunknown\nD=x y\r\n'],
  ['/bad.labels', 'A=1\nB = 2\n'],
]);

export const reader: Reader = {
  readFile: path => FILES.get(path),
  environment: name => ({ HOME: '/root', LANG: 'C' })[name],
  environmentList: () => ['HOME=/root', 'LANG=C', 'P_1=a', 'P_2=b', 'NOTIFY_SOCKET=/run/x'],
  cwd: () => '/work dir',
};

/** `--name value` words as a Command; a word without a value is a flag. Operands follow `--`. */
export function command(
  options: readonly (readonly [string, string])[],
  operands: readonly string[] = ['img'],
): Command {
  return { globals: [], verb: 'run', options: options.map(([name, value]) => ({ name, value })), operands };
}

export function parse(options: readonly (readonly [string, string])[], operands?: readonly string[]): RunRequest {
  const result = parseRunRequest(command(options, operands), reader, 'c1');
  if (result.isErr()) throw new Error(result.error.map(p => p.message).join('\n'));
  return result.value;
}

export function problems(options: readonly (readonly [string, string])[], operands?: readonly string[]): string[] {
  const result = parseRunRequest(command(options, operands), reader, 'c1');
  return result.isErr() ? result.error.map(p => p.message) : [];
}
