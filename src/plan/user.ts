import { refuse, type IdPlan, type PlanContext } from './context.ts';
import { toHost } from './id-maps.ts';
import { cut, readId } from './parse-values.ts';
import type { RunRequest } from './request.ts';

/** The payload's user, resolved in the image's /etc/passwd and /etc/group. */
export interface UserPlan {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
  /** /etc/passwd and /etc/group with a line for ids that the image has no name for; absent: the image's will do. */
  readonly passwd?: string;
  readonly group?: string;
}

const ROOT: UserPlan = { uid: 0, gid: 0, groups: [], home: '/' };

/**
 * `user[:group]` by name or id, as runc and Podman resolve it. Supplementary groups are those of the image's user, unless a group was
 * named, and --group-add (T12). Ids without a mapping are refused by name (T13).
 */
export function planUser(context: PlanContext, ids: IdPlan, workdir: string): UserPlan {
  const { facts } = context;
  const { text, from } = chooseText(context);
  const [name, groupText] = cut(text, ':');
  const passwd = withHostUsers(context, workdir);
  const entry = findUser(passwd, name === '' ? '0' : name);
  const number = readId(name === '' ? '0' : name);
  const uid = entry?.uid ?? number;
  if (uid === undefined) {
    refuse(
      context,
      '--user',
      `${from} ${name}: there is no such user in the image's /etc/passwd`,
      'use a number, or another name',
    );
    return ROOT;
  }
  const explicit = groupText !== undefined && groupText !== '';
  const gid = explicit ? findGroup(facts.group, groupText) : (entry?.gid ?? 0);
  if (gid === undefined) {
    refuse(
      context,
      '--user',
      `${from} ${text}: there is no group ${groupText ?? ''} in the image's /etc/group`,
      'use a number',
    );
    return ROOT;
  }
  const groups = new Set<number>(text === '' ? [] : [gid]);
  if (!explicit && entry !== undefined) {
    for (const group of groupsOf(facts.group, entry.name)) if (isMapped(ids, ids.gid, group)) groups.add(group);
  }
  for (const word of context.request.groups) addGroup(context, word, groups);
  checkMapped(context, ids, uid, 'uid', from);
  for (const one of [gid, ...groups]) checkMapped(context, ids, one, 'gid', from);
  return {
    uid,
    gid,
    groups: [...groups],
    home: entry?.home ?? '/',
    ...namesFor(context, passwd, entry, { uid, gid, home: homeIn(workdir) }),
  };
}

/**
 * Many programs end when their own id has no name. Podman gives it one unless --passwd=false: the account's with keep-id, else the
 * number; its home is the working directory. An image without these files stays without.
 */
function namesFor(
  { request, facts }: PlanContext,
  passwd: string,
  entry: ReturnType<typeof findUser>,
  { uid, gid, home }: { uid: number; gid: number; home: string },
): { passwd?: string; group?: string; home?: string } {
  const names: { passwd?: string; group?: string; home?: string } = {};
  if (!request.passwd) return names;
  let name = entry?.name ?? String(uid);
  if (passwd !== facts.passwd) names.passwd = passwd;
  if (entry === undefined && facts.passwd !== '') {
    const kept = request.userns.kind === 'keep-id' && facts.uid !== 0 && uid === facts.uid;
    if (kept && findUser(passwd, facts.userName) === undefined) name = facts.userName;
    names.passwd = lines(passwd) + passwdLine(request, { name, uid, gid, fullName: 'container user', home });
    names.home = home;
  }
  if (facts.group !== '' && !hasGroup(facts.group, gid)) {
    const entryOf = request.groupEntry ?? '$GROUPNAME:x:$GID:$USERLIST';
    names.group = `${lines(facts.group)}${fillIn(entryOf, { GROUPNAME: String(gid), GID: String(gid), USERLIST: name })}\n`;
  }
  return names;
}

/** Users of the host that the image knows neither by name nor by number; none where it has no /etc/passwd, and with --passwd=false. */
function withHostUsers({ request, facts }: PlanContext, workdir: string): string {
  let { passwd } = facts;
  if (passwd === '' || !request.passwd) return passwd;
  for (const user of facts.hostUsers ?? []) {
    if (findUser(passwd, user.name) !== undefined || findUser(passwd, String(user.uid)) !== undefined) continue;
    // Its home is there when something is mounted on it, or above.
    const mounted = request.mounts.some(({ target }) => user.home === target || user.home.startsWith(`${target}/`));
    passwd = lines(passwd) + passwdLine(request, { ...user, home: homeIn(mounted ? user.home : workdir) });
  }
  return passwd;
}

interface PasswdUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly fullName: string;
  readonly home: string;
}

function passwdLine({ passwdEntry }: RunRequest, { name, uid, gid, fullName, home }: PasswdUser): string {
  const values = { USERNAME: name, UID: String(uid), GID: String(gid), NAME: fullName, HOME: home };
  return `${fillIn(passwdEntry ?? '$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh', values)}\n`;
}

/** As Podman does it: `${NAME}` is none of these. */
function fillIn(entry: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`$${name}`, () => value), entry);
}

/** A path that a line of /etc/passwd can hold. */
function homeIn(workdir: string): string {
  return /[:\n]/.test(workdir) ? '/' : workdir;
}

function lines(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

function hasGroup(group: string, gid: number): boolean {
  return group.split('\n').some(line => line.split(':')[2] === String(gid));
}

/** The request's user, else with keep-id the kept one, else the image's. `:group` alone keeps the user. */
function chooseText(context: PlanContext): { text: string; from: string } {
  const { request, facts, image } = context;
  const { userns } = request;
  const own =
    userns.kind === 'keep-id' && facts.uid !== 0 ? `${userns.uid ?? facts.uid}:${userns.gid ?? facts.gid}` : undefined;
  const inherited = own ?? image?.user ?? '';
  if (request.user === undefined) return { text: inherited, from: own === undefined ? "the image's user" : 'keep-id' };
  const text = request.user.startsWith(':') ? `${cut(inherited, ':')[0]}${request.user}` : request.user;
  return { text, from: '--user' };
}

function addGroup(context: PlanContext, word: string, groups: Set<number>): void {
  if (word === 'keep-groups') return;
  const gid = findGroup(context.facts.group, word);
  if (gid === undefined)
    refuse(context, '--group-add', `--group-add ${word}: there is no such group in the image's /etc/group`);
  else groups.add(gid);
}

function isMapped(ids: IdPlan, map: IdPlan['uid'], id: number): boolean {
  return !ids.own || toHost(map, id) !== undefined;
}

function checkMapped(context: PlanContext, ids: IdPlan, id: number, kind: 'uid' | 'gid', from: string): void {
  const map = ids[kind];
  if (isMapped(ids, map, id)) return;
  const last = map.at(-1);
  const only = map.length === 1 && last?.size === 1;
  const hint = only
    ? `this account maps its own id alone, as ${last.containerID}: give it subordinate ids, or use --user ${last.containerID}`
    : 'use an id that is mapped, or another --userns';
  refuse(context, '--user', `${from}: ${kind} ${id} is not mapped into the container`, hint);
}

/** The first line whose name is the text, or whose uid is it. */
export function findUser(
  passwd: string,
  text: string,
): { name: string; uid: number; gid: number; home: string } | undefined {
  const wanted = readId(text);
  let at = 0;
  while (at < passwd.length) {
    const end = lineEnd(passwd, at);
    const line = passwd.slice(at, end).split(':');
    at = end + 1;
    const uid = readId(line[2] ?? '');
    if (uid === undefined || (line[0] !== text && uid !== wanted)) continue;
    return {
      name: line[0] ?? '',
      uid,
      gid: readId(line[3] ?? '') ?? 0,
      home: line[5] === undefined || line[5] === '' ? '/' : line[5],
    };
  }
  return undefined;
}

/** A gid by name or number. */
export function findGroup(group: string, text: string): number | undefined {
  let at = 0;
  while (at < group.length) {
    const end = lineEnd(group, at);
    if (group.startsWith(`${text}:`, at)) {
      const gid = readId(group.slice(at, end).split(':')[2] ?? '');
      if (gid !== undefined) return gid;
    }
    at = end + 1;
  }
  return readId(text);
}

function groupsOf(group: string, user: string): number[] {
  const found: number[] = [];
  if (user === '') return found;
  let at = 0;
  while (at < group.length) {
    const end = lineEnd(group, at);
    // Most lines do not hold the name at all.
    const line = group.slice(at, end);
    at = end + 1;
    if (!line.includes(user)) continue;
    const parts = line.split(':');
    const gid = readId(parts[2] ?? '');
    if (gid !== undefined && (parts[3] ?? '').split(',').includes(user)) found.push(gid);
  }
  return found;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}
