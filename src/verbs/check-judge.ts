import { problem, type Problem } from '../base/problem.ts';
import type { Command, OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import { ImageError } from '../image/error.ts';
import { parseReference } from '../image/reference.ts';
import { bad, newDraft, type Draft, type Reader } from '../plan/draft.ts';
import { applyOption } from '../plan/parse-options.ts';
import type { Unit } from '../quadlet/model.ts';
import { Failure } from '../run/failure.ts';

/** A command line of a unit that its verb's table could read. */
export interface Judged {
  readonly command: Command;
  /** The options that systemd does not expand. */
  readonly known: readonly OptionUse[];
  readonly unit: Unit;
  readonly reader: Reader;
}

/** What the verb itself would refuse of it; `key` of a problem is the option, `--NAME`. */
export type Judge = (judged: Judged) => Problem[];

/** systemd.service(5), COMMAND LINES: specifiers and variables. */
export const isExpanded = (word: Bytes): boolean => /[%$]/.test(word.replace(/%%|\$\$/g, ''));

/** What is wrong with one use of an option of `run`; `more` looks at what was read. */
export function ofUse({ name, value }: OptionUse, reader: Reader, more?: (draft: Draft) => void): Problem[] {
  const draft = newDraft(reader, 'name');
  applyOption(draft, name, value);
  more?.(draft);
  return draft.problems;
}

export function noted(option: string, value: Bytes, what: string, hint?: string): Problem[] {
  const draft = newDraft({ readFile: none, environment: none, environmentList: () => [], cwd: () => '/' }, 'name');
  bad(draft, option, value, what, hint);
  return draft.problems;
}

const none = (): undefined => undefined;

/**
 * What a verb throws, one problem after the other: the option that a line begins with is taken out for the next look. `keep`: those whose
 * place among the others counts, behind which nothing can be said.
 */
export function thrown(
  uses: readonly OptionUse[],
  attempt: (uses: readonly OptionUse[]) => void,
  keep: readonly string[] = [],
): Problem[] {
  const problems: Problem[] = [];
  let left = uses;
  for (;;) {
    const message = messageOf(() => attempt(left));
    if (message === undefined) return problems;
    const name = /^--([a-z-]+)/.exec(message)?.[1] ?? '';
    const at = left.findIndex(use => use.name === name && message.includes(use.value.split('=')[0] ?? ''));
    problems.push(problem('option-value', message, name === '' ? {} : { key: `--${name}` }));
    if (at < 0 || keep.includes(name)) return problems;
    left = left.filter((_, i) => i !== at);
  }
}

function messageOf(attempt: () => void): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof Failure || error instanceof ImageError) return error.message;
    throw error;
  }
}

/** The name of an image as the store takes it: a reference or an id. */
export function judgeImage(name: Bytes): Problem[] {
  if (name === '' || isExpanded(name) || parseReference(name) !== undefined || isId(name)) return [];
  const lower = name.replace(/^docker:\/\//, '').toLowerCase();
  const hint = parseReference(lower) === undefined ? 'write REGISTRY/PATH[:TAG][@DIGEST]' : `did you mean ${lower}?`;
  return noted('image', name, 'not the name of an image', hint);
}

/** `sha256:…`, or the beginning of an id. */
function isId(name: Bytes): boolean {
  return /^(sha256:)?[0-9a-f]{3,64}$/.test(name);
}
