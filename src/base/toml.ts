import { parse, TomlError, type TomlTable } from 'smol-toml';
import { problem, type Problem } from './problem.ts';
import { err, ok, type Result } from './result.ts';
import { decodeText, encodeText } from './text.ts';
import { nonText } from './utf8.ts';

/**
 * The one door to smol-toml. Reads TOML 1.0 (registries.conf, storage.conf) from UTF-8 bytes; keys and strings of the result are byte strings again.
 * `file` is named in the problem; dates are `Date` objects.
 */
export function parseToml(bytes: string, file: string): Result<Record<string, unknown>, Problem[]> {
  const bad = nonText(bytes);
  if (bad >= 0) return err([problem('toml', 'is not UTF-8', { file, line: bytes.slice(0, bad).split('\n').length })]);
  try {
    return ok(toBytes(parse(decodeText(bytes))) as Record<string, unknown>);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The message goes on with an excerpt of the file.
    const message = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
    return err([problem('toml', `is not TOML: ${message}`, { file, line: error.line, column: error.column })]);
  }
}

function toBytes(value: TomlTable[string]): unknown {
  if (typeof value === 'string') return encodeText(value);
  if (Array.isArray(value)) return value.map(toBytes);
  if (typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [encodeText(key), toBytes(one)]));
}
