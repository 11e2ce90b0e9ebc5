import { bad, take, type Draft } from './draft.ts';
import * as values from './parse-values.ts';
import type { RunRequest } from './request.ts';

/** What one use of an option does to the draft. */
export type Apply = (draft: Draft, value: string, option: string) => void;

export function flag(
  key:
    | 'replace'
    | 'init'
    | 'tty'
    | 'interactive'
    | 'detach'
    | 'readOnly'
    | 'readOnlyTmpfs'
    | 'httpProxy'
    | 'passwd'
    | 'noHosts'
    | 'noHostname'
    | 'privileged'
    | 'environmentHost'
    | 'publishAll'
    | 'removeImage'
    | 'remove',
): Apply {
  return (draft, value) => {
    draft.request[key] = value === 'true';
  };
}

/** One of some words, any case. */
export function choice<K extends keyof RunRequest>(key: K, words: Readonly<Record<string, RunRequest[K]>>): Apply {
  return (draft, value, option) => {
    const word = value.toLowerCase();
    const found = Object.hasOwn(words, word) ? words[word] : undefined;
    if (found === undefined)
      bad(draft, option, value, 'there is no such choice', `use ${Object.keys(words).filter(Boolean).join(', ')}`);
    else (draft.request as Record<keyof RunRequest, unknown>)[key] = found;
  };
}

export function path(key: 'cidfile' | 'pidfile' | 'hostsFile'): Apply {
  return (draft, value, option) => {
    const absolute = values.cleanPath(value.startsWith('/') ? value : `${draft.reader.cwd()}/${value}`);
    take(draft, option, value, value === '' ? undefined : absolute, 'not a path', read => (draft.request[key] = read));
  };
}

export const nothing: Apply = () => undefined;
export const NOT_SIZE = 'not a size such as 64m';
