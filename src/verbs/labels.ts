import { allValues } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import { Failure } from '../run/failure.ts';

/** `--label NAME=VALUE…`; a name alone has an empty value. */
export function labelsOf(command: Command): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const text of allValues(command, 'label')) {
    const [name, value = ''] = splitOnce(text);
    if (name === '') throw new Failure(125, `--label ${text}: the name is empty; write NAME=VALUE`);
    labels[name] = value;
  }
  return labels;
}

export interface Filter {
  readonly name: string;
  readonly value: string;
}

/** `--filter NAME=VALUE`; a Failure (125) lists those that are known. */
export function filtersOf(command: Command, known: readonly string[]): Filter[] {
  return allValues(command, 'filter').map(text => {
    const [name, value] = splitOnce(text);
    if (value === undefined || !known.includes(name)) {
      throw new Failure(125, `--filter ${text}: use ${known.map(one => `${one}=`).join(', ')}`);
    }
    return { name, value };
  });
}

/** `label=NAME` and `label=NAME=VALUE`. */
export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const [name, value] = splitOnce(wanted);
  return name in labels && (value === undefined || labels[name] === value);
}

export function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

export const joinLabels = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
