/** One way of authenticating that a registry offers in `WWW-Authenticate` (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reads the header, which may hold several challenges; what does not fit the grammar ends it. */
export function parseChallenges(header: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let rest = header.slice(0, 8192).trim();
  while (rest !== '') {
    const parameter = PARAMETER.exec(rest);
    const last = found.at(-1);
    if (parameter !== null && last !== undefined) {
      const [whole, name = '', quoted, plain = ''] = parameter;
      last.parameters.set(name.toLowerCase(), quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'));
      rest = rest.slice(whole.length);
      continue;
    }
    const scheme = SCHEME.exec(rest);
    if (scheme === null) break;
    found.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters: new Map() });
    rest = rest.slice(scheme[0].length);
  }
  return found;
}

const PARAMETER = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*,?\s*/;
const SCHEME = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s+|\s*,\s*|$)/;
