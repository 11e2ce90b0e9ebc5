import type { Bytes, Files } from '../host/host.ts';

/** Ids of names, and of numbers that have a name, in /etc/passwd and /etc/group. Other databases cannot be asked when generators run. */
export function accountLookup(
  host: Pick<Files, 'readFileIfExists'>,
): (kind: 'user' | 'group', name: Bytes) => number | undefined {
  const tables = new Map<string, Map<Bytes, number>>();
  return (kind, name) => {
    let known = tables.get(kind);
    if (known === undefined) {
      known = read(host.readFileIfExists(kind === 'user' ? '/etc/passwd' : '/etc/group') ?? '');
      tables.set(kind, known);
    }
    return known.get(name);
  };
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
