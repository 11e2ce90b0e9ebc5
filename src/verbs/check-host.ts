import { nearest } from '../base/suggest.ts';
import type { Problem } from '../base/problem.ts';
import { HostError, type Bytes, type Host } from '../host/host.ts';
import { timezonePath } from '../plan/mounts.ts';
import { cut } from '../plan/parse-values.ts';
import { parseRecord } from '../quadlet/csv.ts';
import type { Unit } from '../quadlet/model.ts';
import { absolute } from '../unit/specifiers.ts';
import type { Rule } from './check-rules.ts';
import { judged } from './check-values.ts';

type Looked = Pick<Host, 'stat' | 'list' | 'readFileIfExists'>;

/**
 * What this machine has, or lacks, of what units name: warnings, since the unit may be for another machine, or be started when it is there. Files
 * are looked for when the unit is one that this machine would run (`isOurs`).
 */
export function hostProblems(host: Looked, units: readonly Unit[], isOurs: (unit: Unit) => boolean): Problem[] {
  const general: Readonly<Record<string, Rule>> = {
    Timezone: zone => timezone(host, zone),
    Sysctl: text => sysctl(host, text),
    SubUIDMap: name => subordinate(host, '/etc/subuid', name),
    SubGIDMap: name => subordinate(host, '/etc/subgid', name),
  };
  const own = ownFiles(host);
  return units.flatMap(unit => [...judged(unit, general), ...(isOurs(unit) ? judged(unit, own) : [])]);
}

const ZONES = '/usr/share/zoneinfo';

function timezone(host: Looked, zone: Bytes): ReturnType<Rule> {
  if (zone === 'local' || host.stat(ZONES) === undefined || host.stat(timezonePath(zone))?.kind === 'file')
    return undefined;
  const near = nearest(zone, names(host, ZONES, '', 2));
  const hint = near === undefined ? 'write a name such as Europe/Berlin, or local' : `did you mean ${near}?`;
  return { what: `no such time zone in ${ZONES}`, hint };
}

/** Files below a directory, by their path in it. */
function names(host: Looked, directory: Bytes, below: Bytes, depth: number): Bytes[] {
  return host.list(directory).flatMap(({ name, kind }) => {
    if (kind !== 'directory') return [`${below}${name}`];
    return depth === 0 ? [] : names(host, `${directory}/${name}`, `${below}${name}/`, depth - 1);
  });
}

/** Those of an interface come with it. */
function sysctl(host: Looked, text: Bytes): ReturnType<Rule> {
  const [name] = cut(text, '=');
  const path = name.includes('/') ? name : name.replaceAll('.', '/');
  // What leads out of there is no name, which the start says.
  if (/\/(conf|neigh|\.*)\//.test(path) || host.stat('/proc/sys/net') === undefined) return undefined;
  const full = `/proc/sys/${path}`;
  if (host.stat(full) !== undefined) return undefined;
  const directory = full.slice(0, full.lastIndexOf('/'));
  const beside = host.stat(directory)?.kind === 'directory' ? host.list(directory).map(entry => entry.name) : [];
  const near = nearest(full.slice(directory.length + 1), beside);
  const parent = path.slice(0, path.lastIndexOf('/')).replaceAll('/', '.');
  const hint = near === undefined ? 'a module of the kernel may bring it' : `did you mean ${parent}.${near}?`;
  return { what: 'the kernel of this machine has no such parameter', hint };
}

/** subuid(5) */
function subordinate(host: Looked, file: Bytes, name: Bytes): ReturnType<Rule> {
  const text = host.readFileIfExists(file) ?? '';
  if (text.split('\n').some(line => line.startsWith(`${name}:`))) return undefined;
  return {
    what: `${file} of this machine has no such name`,
    hint: `give it a range: usermod --add-subuids, --add-subgids`,
  };
}

/** Also what is closed to whoever looks: the start may be root's. */
function mayBeThere(host: Looked, path: Bytes): boolean {
  try {
    return host.stat(path) !== undefined;
  } catch (error) {
    if (error instanceof HostError) return error.code !== 'ELOOP';
    throw error;
  }
}

/** Paths of this machine that a start opens. */
function ownFiles(host: Looked): Readonly<Record<string, Rule>> {
  const there = (path: Bytes, what = 'there is no such path on this machine'): ReturnType<Rule> =>
    !path.startsWith('/') || mayBeThere(host, path) ? undefined : { what, hint: 'the start fails without it' };
  const file: Rule = value => there(value);
  const beside: Rule = (value, unit) => there(absolute(value, unit.directory));
  const source: Rule = (value, unit) => {
    const [path, target] = cut(value, ':');
    return target === undefined || !/^[/.]/.test(path) ? undefined : there(absolute(path, unit.directory));
  };
  const mount: Rule = (value, unit) => {
    const fields = parseRecord(value) ?? [];
    if (!fields.includes('type=bind')) return undefined;
    const path = fields.map(field => /^(?:src|source)=(.*)$/s.exec(field)?.[1]).find(text => text !== undefined) ?? '';
    return /^[/.]/.test(path) ? there(absolute(path, unit.directory)) : undefined;
  };
  return {
    AddDevice: value => (value.startsWith('-') ? undefined : there(cut(value, ':')[0], 'there is no such device now')),
    AuthFile: file,
    CertDir: file,
    ConfigMap: beside,
    EnvironmentFile: beside,
    IgnoreFile: file,
    Mount: mount,
    Rootfs: value => there(cut(value, ':')[0]),
    SeccompProfile: file,
    Volume: source,
    Yaml: beside,
  };
}
