import { bad, type Draft } from './draft.ts';
import { readMapEntry } from './id-maps.ts';
import { cut, readDigits, readId } from './parse-values.ts';

const MODES = 'use host, keep-id[:uid=N,gid=N,size=N], nomap, auto[:size=N], ns:PATH or container:NAME';

/** `--userns MODE`, with `--uidmap`, `--gidmap`, `--subuidname` and `--subgidname`, which exclude it. */
export function parseUserns(draft: Draft): void {
  const { request, maps, userns } = draft;
  const mapped = maps.uid.length > 0 || maps.gid.length > 0 || maps.subUid !== undefined || maps.subGid !== undefined;
  if (mapped) {
    if (userns !== undefined && userns !== 'private') {
      return bad(draft, 'userns', userns, 'it excludes --uidmap, --gidmap, --subuidname and --subgidname');
    }
    request.userns = {
      kind: 'maps',
      uidMaps: maps.uid,
      gidMaps: maps.gid,
      ...(maps.subUid === undefined ? {} : { subUidName: maps.subUid }),
      ...(maps.subGid === undefined ? {} : { subGidName: maps.subGid }),
    };
    return;
  }
  if (userns === undefined) return;
  const [mode, rest] = cut(userns, ':');
  if (mode === 'keep-id') parseKeepId(draft, userns, rest);
  else if (mode === 'auto') parseAuto(draft, userns, rest);
  else if ((mode === 'ns' || mode === 'container') && rest) request.userns = { kind: 'join', target: userns };
  else if (rest !== undefined) bad(draft, 'userns', userns, 'there is no such mode', MODES);
  else if (mode === 'nomap') request.userns = { kind: 'nomap' };
  else if (mode === 'host' || mode === '') request.userns = { kind: 'host' };
  else if (mode === 'private') bad(draft, 'userns', userns, 'a map is missing', 'give --uidmap, or use auto');
  else bad(draft, 'userns', userns, 'there is no such mode', MODES);
}

/** One `--uidmap` or `--gidmap` line. */
export function parseMap(draft: Draft, option: 'uidmap' | 'gidmap', value: string): void {
  if (readMapEntry(value) === undefined) {
    return bad(
      draft,
      option,
      value,
      'not understood',
      'write [+][u|g]CONTAINER:[@]FROM[:AMOUNT] with ids below 4294967295',
    );
  }
  draft.maps[option === 'uidmap' ? 'uid' : 'gid'].push(value);
}

function parseKeepId(draft: Draft, value: string, rest: string | undefined): void {
  const found: { uid?: number; gid?: number; size?: number } = {};
  for (const [name, text] of pairs(rest)) {
    const number = name === 'size' ? readDigits(text, 4294967295) : readId(text);
    if (name !== 'uid' && name !== 'gid' && name !== 'size') {
      return bad(draft, 'userns', value, `keep-id has no option ${name}`, 'use uid=, gid= and size=');
    }
    if (number === undefined || (name === 'size' && number === 0)) {
      return bad(draft, 'userns', value, `${name}=${text} is not an id from 0 to 4294967294`);
    }
    found[name] = number;
  }
  draft.request.userns = { kind: 'keep-id', ...found };
}

function parseAuto(draft: Draft, value: string, rest: string | undefined): void {
  let size: number | undefined;
  const uidMaps: string[] = [];
  const gidMaps: string[] = [];
  for (const [name, text] of pairs(rest)) {
    if (name === 'size') {
      size = readDigits(text, 4294967294);
      if (size === undefined || size === 0) return bad(draft, 'userns', value, `size=${text} is not a number of ids`);
    } else if (name === 'uidmapping' || name === 'gidmapping') {
      if (readMapEntry(text) === undefined) return bad(draft, 'userns', value, `${text} is not CONTAINER:HOST:SIZE`);
      (name === 'uidmapping' ? uidMaps : gidMaps).push(text);
    } else return bad(draft, 'userns', value, `auto has no option ${name}`, 'use size=, uidmapping= and gidmapping=');
  }
  draft.request.userns = { kind: 'auto', uidMaps, gidMaps, ...(size === undefined ? {} : { size }) };
}

function pairs(rest: string | undefined): [string, string][] {
  if (rest === undefined) return [];
  return rest.split(',').map(word => {
    const [name, text = ''] = cut(word, '=');
    return [name, text];
  });
}
