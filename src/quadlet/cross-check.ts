import { addressesMeet } from '../base/addresses.ts';
import { problem, type Problem } from '../base/problem.ts';
import type { Facts, Files } from '../host/host.ts';
import { lastEntry, placeOf } from '../unit/document.ts';
import { isTemplate } from '../unit/names.ts';
import { scalar, splitWords } from '../unit/values.ts';
import { saidBy, type Said } from './argument-options.ts';
import { bareNames } from './cross-names.ts';
import { otherAccounts } from './cross-owner.ts';
import type { Reference, Setting, Unit } from './model.ts';
import { publishedPorts, type PublishedPort } from './ports.ts';
import { activePeer } from './owner.ts';
import { afterReset, readList, readScalar } from './read.ts';

/**
 * What only shows when all files are seen together; for `berth check`, too dear for every reload. Problems that `asked` has a part in are told, each at
 * one of these.
 */
export function crossCheck(units: readonly Unit[], setting: Setting, asked: readonly Unit[] = units): Problem[] {
  const isAsked = new Set(asked);
  return [
    ...cycles(units, isAsked),
    ...samePorts(units, isAsked),
    ...asked.flatMap(memberPorts),
    ...bareNames(asked, units),
    ...otherAccounts(asked, setting),
    ...asked.flatMap(unit => automaticUpdates(unit)),
    ...asked.flatMap(unit => unknownAccounts(unit, setting)),
  ];
}

type Asked = ReadonlySet<Unit>;

/** The peer's generator beside ours: said once. */
export function peerProblem(
  host: Pick<Files, 'stat' | 'realpath'> & Pick<Facts, 'environment'>,
  user: boolean,
): Problem[] {
  if ((host.environment('QUADLET_UNIT_DIRS') ?? '') !== '') return [];
  const path = activePeer(host, user);
  if (path === undefined) return [];
  const hint = '`berth system takeover` hands its unit files to Berth';
  return [
    warning(problem('peer-active', `${path} is active: systemd's services are made by it`, { file: path, hint })),
  ];
}

function warning(p: Problem): Problem {
  return { ...p, severity: 'warning' };
}

/** Units that need each other can never start; of those that wait for each other systemd starts one too early. */
function cycles(units: readonly Unit[], asked: Asked): Problem[] {
  const needed = circles(units, asked, unit => unit.references, 'units need each other');
  const order = orderOf(units);
  const waiting = circles(units, asked, unit => order.get(unit) ?? [], 'units wait for each other');
  return [...needed, ...waiting.filter(p => !needed.some(one => one.file === p.file && one.line === p.line))];
}

/** Each circle is reported once, at the last of its units that is asked for. */
function circles(
  units: readonly Unit[],
  asked: Asked,
  next: (unit: Unit) => readonly Reference[],
  what: string,
): Problem[] {
  const found: Problem[] = [];
  const done = new Set<Unit>();
  const visit = (unit: Unit, trail: readonly Unit[]): void => {
    const start = trail.indexOf(unit);
    if (start >= 0) {
      const circle = trail.slice(start);
      const at = circle.findLastIndex(one => asked.has(one));
      const told = circle[at];
      if (told === undefined) return;
      const follower = circle[at + 1] ?? unit;
      const entry = next(told).find(reference => reference.unit === follower)?.entry;
      const names = [...circle, unit].map(one => one.name.name).join(' -> ');
      const place = entry === undefined ? { file: told.path } : { ...placeOf(entry), key: entry.key };
      found.push(problem('cycle', `${what}: ${names}`, { ...place, hint: 'take one of the references out' }));
      return;
    }
    if (done.has(unit)) return;
    done.add(unit);
    for (const reference of next(unit)) visit(reference.unit, [...trail, unit]);
  };
  for (const unit of units) visit(unit, []);
  return found;
}

/** What each unit starts after: the resources that it names, and `After=` and `Before=`, by names of unit files or of services. */
function orderOf(units: readonly Unit[]): Map<Unit, Reference[]> {
  const named = new Map(
    units.flatMap(unit => [[`${unit.stem}.service`, unit] as const, [unit.name.name, unit] as const]),
  );
  const order = new Map(
    units.map(unit => [unit, unit.references.filter(({ entry }) => entry.section.name !== 'Unit')]),
  );
  for (const unit of units) {
    for (const entry of unit.unit) {
      if (entry.key !== 'After' && entry.key !== 'Before') continue;
      for (const word of splitWords(entry.value).words) {
        const other = named.get(word);
        if (other === undefined) continue;
        const [first, second] = entry.key === 'After' ? [other, unit] : [unit, other];
        order.get(second)?.push({ unit: first, entry });
      }
    }
  }
  return order;
}

interface Owned {
  readonly port: PublishedPort;
  readonly unit: Unit;
  readonly said: Said;
}

/** Of units that can run at the same time: a template never runs, and of two that conflict systemd stops one. */
function samePorts(units: readonly Unit[], asked: Asked): Problem[] {
  const found: Problem[] = [];
  const owned: Owned[] = [];
  for (const unit of units) {
    if (isTemplate(unit.name)) continue;
    const isIn = (one: Owned): boolean => asked.has(unit) || asked.has(one.unit);
    for (const said of saidBy(unit, 'PublishPort', 'publish')) {
      const ports = said.value.split(',').flatMap(part => publishedPorts(part) ?? []);
      const other = owned.find(
        one => ports.some(port => meet(one.port, port)) && isIn(one) && !conflict(one.unit, unit),
      );
      owned.push(...ports.map(port => ({ port, unit, said })));
      if (other === undefined) continue;
      found.push(asked.has(unit) ? taken(said, other) : taken(other.said, { unit, said }));
    }
  }
  return found;
}

function taken({ value, entry, shown }: Said, by: Pick<Owned, 'unit' | 'said'>): Problem {
  const where = `${by.unit.path}:${placeOf(by.said.entry).line}`;
  const message = `host port of \`${shown}\` is already published by ${where}`;
  const place = { ...placeOf(entry, value), key: entry.key, hint: 'choose another host port' };
  return problem('port-taken', message, place);
}

function meet(a: PublishedPort, b: PublishedPort): boolean {
  return a.protocol === b.protocol && a.first <= b.last && b.first <= a.last && addressesMeet(a.address, b.address);
}

function conflict(one: Unit, other: Unit): boolean {
  return excludes(one, other) || excludes(other, one);
}

function excludes(unit: Unit, other: Unit): boolean {
  const words = afterReset(unit.unit.filter(({ key }) => key === 'Conflicts')).flatMap(
    ({ value }) => splitWords(value).words,
  );
  return words.includes(other.name.name) || words.includes(`${other.stem}.service`);
}

/** The ports of a pod are the pod's. */
function memberPorts(unit: Unit): Problem[] {
  if (unit.name.type !== 'container' || readScalar(unit, 'Pod') === undefined) return [];
  return saidBy(unit, 'PublishPort', 'publish').map(({ value, entry, shown }) => {
    const place = { ...placeOf(entry, value), key: entry.key, hint: 'write PublishPort= into the .pod file' };
    return problem('pod-port', `\`${shown}\`: a member of a pod cannot publish ports`, place);
  });
}

/** The key becomes a label, as the peer has it; whoever relies on it must know that nobody acts on it. */
function automaticUpdates(unit: Unit): Problem[] {
  return readList(unit, 'AutoUpdate').map(({ value, entry }) => {
    const hint = `pull and restart yourself, or with a timer: berth pull IMAGE && systemctl restart ${unit.stem}`;
    const text = `\`AutoUpdate=${value}\`: nothing updates containers by itself in this version`;
    return warning(problem('no-auto-update', text, { ...placeOf(entry, value), key: entry.key, hint }));
  });
}

function unknownAccounts(unit: Unit, setting: Setting): Problem[] {
  if (lastEntry(unit.service, 'DynamicUser') !== undefined) return [];
  const last = ['User', 'Group'].flatMap(key => lastEntry(unit.service, key) ?? []);
  const named = last.map(entry => ({ entry, name: scalar(entry.value) }));
  const others = afterReset(unit.service.filter(entry => entry.key === 'SupplementaryGroups'));
  for (const entry of others) named.push(...splitWords(entry.value).words.map(name => ({ entry, name })));
  return named.flatMap(({ entry, name }) => {
    if (name === '' || /^[0-9]+$/.test(name) || name.includes('%')) return [];
    const { key } = entry;
    const kind = key === 'User' ? 'user' : 'group';
    if (typeof setting.account(kind, name) === 'number') return [];
    const place = { ...placeOf(entry, name), key, hint: 'a directory service may know it when the unit starts' };
    return [warning(problem('unknown-account', `\`${key}=${name}\` in [Service]: no such ${kind} in /etc`, place))];
  });
}
