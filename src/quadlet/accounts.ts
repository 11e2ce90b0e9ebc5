import type { Bytes, Files } from '../host/host.ts';

/** `later`: another database may know the name, which can be asked when the unit starts. */
export type AccountLookup = (kind: 'user' | 'group', name: Bytes) => number | 'later' | undefined;

/** Ids of names, and of numbers that have a name, in /etc/passwd and /etc/group. Other databases cannot be asked when generators run. */
export function accountLookup(host: Pick<Files, 'readFileIfExists'>): AccountLookup {
  const tables = new Map<string, Map<Bytes, number>>();
  return (kind, name) => {
    let known = tables.get(kind);
    if (known === undefined) {
      known = read(host.readFileIfExists(kind === 'user' ? '/etc/passwd' : '/etc/group') ?? '');
      tables.set(kind, known);
    }
    return known.get(name) ?? (isLater(host, kind, name) ? 'later' : undefined);
  };
}

const RECORDS = ['/etc/userdb', '/run/userdb', '/run/host/userdb', '/usr/lib/userdb'];

/** Of systemd's own database, records in files count (nss-systemd(8)): of its other accounts none is static. */
function isLater(host: Pick<Files, 'readFileIfExists'>, kind: 'user' | 'group', name: Bytes): boolean {
  if (!/^[A-Za-z_][^\s/:,=]*$/.test(name)) return false;
  const table = kind === 'user' ? 'passwd' : 'group';
  const line = new RegExp(`^${table}:(.*)$`, 'm').exec(host.readFileIfExists('/etc/nsswitch.conf') ?? '')?.[1] ?? '';
  const sources = line.replace(/\[.*?\]|#.*/g, '').split(/\s+/);
  if (sources.some(one => !['', 'files', 'systemd'].includes(one))) return true;
  return (
    sources.includes('systemd') && RECORDS.some(one => host.readFileIfExists(`${one}/${name}.${kind}`) !== undefined)
  );
}

/** `name:x:ID:…` */
function read(text: Bytes): Map<Bytes, number> {
  const ids = new Map<Bytes, number>();
  for (const line of text.split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (!/^[0-9]+$/.test(id)) continue;
    for (const key of [name, id]) if (!ids.has(key)) ids.set(key, Number(id));
  }
  return ids;
}
