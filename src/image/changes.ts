import { ImageError } from './error.ts';

/** The `config` of an image configuration as OCI writes it. */
export interface OciConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  User?: string;
  WorkingDir?: string;
  StopSignal?: string;
  ExposedPorts?: Record<string, object>;
  Volumes?: Record<string, object>;
  Labels?: Record<string, string>;
}

/**
 * The instructions of `berth import --change`: lines of a Containerfile, `CMD ["httpd", "-f"]`, or with `=` after the word
 * (podman-import(1)), applied to `base`, which stays as it is. Byte strings. Throws ImageError.
 */
export function configOfChanges(changes: readonly string[], base: OciConfig = {}): OciConfig {
  const config: OciConfig = { ...base };
  for (const change of changes) {
    const text = change.trim();
    const [word = '', rest = ''] = /^(\w+)[\s=]+([\s\S]*)$/.exec(text)?.slice(1) ?? [];
    const apply = INSTRUCTIONS.get(word.toUpperCase());
    if (apply === undefined || rest === '') {
      throw new ImageError(
        `--change ${text}: not an instruction with a value; there are ${[...INSTRUCTIONS.keys()].join(', ')}`,
      );
    }
    apply(config, rest, text);
  }
  return config;
}

type Apply = (config: OciConfig, rest: string, whole: string) => void;

const INSTRUCTIONS = new Map<string, Apply>([
  ['CMD', (config, rest) => (config.Cmd = words(rest))],
  ['ENTRYPOINT', (config, rest) => (config.Entrypoint = words(rest))],
  ['ENV', addEnvironment],
  ['EXPOSE', addPorts],
  ['LABEL', (config, rest, whole) => (config.Labels = { ...config.Labels, ...Object.fromEntries(pairs(rest, whole)) })],
  ['STOPSIGNAL', (config, rest) => (config.StopSignal = rest)],
  ['USER', (config, rest) => (config.User = rest)],
  ['VOLUME', addVolumes],
  ['WORKDIR', setDirectory],
]);

/** A JSON list is the program's words, anything else a line for the shell. */
function words(rest: string): string[] {
  const list = jsonWords(rest);
  return list ?? ['/bin/sh', '-c', rest];
}

function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every(word => typeof word === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

function addEnvironment(config: OciConfig, rest: string, whole: string): void {
  const added = pairs(rest, whole);
  const kept = (config.Env ?? []).filter(entry => !added.some(([name]) => entry.startsWith(`${name}=`)));
  config.Env = [...kept, ...added.map(([name, value]) => `${name}=${value}`)];
}

function addPorts(config: OciConfig, rest: string, whole: string): void {
  for (const port of rest.split(/\s+/)) {
    const [number = '', protocol = 'tcp'] = port.split('/');
    if (!/^\d{1,5}(-\d{1,5})?$/.test(number) || !['tcp', 'udp', 'sctp'].includes(protocol)) {
      throw new ImageError(`--change ${whole}: ${port} is no port; write NUMBER or NUMBER/PROTOCOL`);
    }
    config.ExposedPorts = { ...config.ExposedPorts, [`${number}/${protocol}`]: {} };
  }
}

function addVolumes(config: OciConfig, rest: string, whole: string): void {
  for (const path of jsonWords(rest) ?? rest.split(/\s+/)) {
    if (!path.startsWith('/')) throw new ImageError(`--change ${whole}: ${path} is not an absolute path`);
    config.Volumes = { ...config.Volumes, [path]: {} };
  }
}

function setDirectory(config: OciConfig, rest: string, whole: string): void {
  const base = config.WorkingDir ?? '';
  const path = rest.startsWith('/') ? rest : base === '' ? '' : `${base}/${rest}`;
  if (path === '') throw new ImageError(`--change ${whole}: ${rest} is not an absolute path`);
  config.WorkingDir = path;
}

/** `NAME=VALUE NAME="VALUE WITH BLANKS"`, or the old form `NAME VALUE`. */
function pairs(rest: string, whole: string): [string, string][] {
  const first = rest.search(/[\s=]/);
  if (first > 0 && rest[first] !== '=') return [[rest.slice(0, first), rest.slice(first).trim()]];
  const found: [string, string][] = [];
  const pattern = /\s*([^\s=]+)=("(?:[^"\\]|\\.)*"|'[^']*'|(?:[^\s\\]|\\.)*)/gy;
  let end = 0;
  for (let match = pattern.exec(rest); match !== null; match = pattern.exec(rest)) {
    found.push([match[1] ?? '', unquote(match[2] ?? '')]);
    end = pattern.lastIndex;
  }
  if (found.length === 0 || rest.slice(end).trim() !== '') throw new ImageError(`--change ${whole}: write NAME=VALUE`);
  return found;
}

function unquote(value: string): string {
  if (value.startsWith("'")) return value.slice(1, -1);
  return (value.startsWith('"') ? value.slice(1, -1) : value).replace(/\\(.)/g, '$1');
}
