import type { Problem } from '../base/problem.ts';
import type { Bytes, Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import type { ManagerBus } from '../systemd/bus.ts';
import { waitsForRestart } from '../systemd/explain.ts';
import { unitProperties, unitsLike, type UnitState } from '../systemd/units.ts';
import { typeOf } from '../unit/names.ts';
import type { Realm } from './scope.ts';
import { withFollowers } from './up-follow.ts';
import { fileHash, pieceHash, readRecord, recordPath, type Started, type UpRecord } from './up-record.ts';
import { directoryOf, type Application, type Piece } from './up-source.ts';
import { carriedHash, describeAs, servicesOf, type Other, type Service } from './up-units.ts';
import { viewOf } from './up-view.ts';

export type Action = 'create' | 'start' | 'restart' | 'nothing' | 'remove';

/** What happens to one unit. `file`: its unit file, or what it was. */
export interface Step {
  readonly unit: string;
  readonly action: Action;
  readonly file: Bytes;
  readonly reason: string;
  /** Recorded when it was started. */
  readonly hash: string;
  /** Units whose restart restarts it. */
  readonly follows: readonly string[];
  /** False: a template, which only its instances start. */
  readonly starts: boolean;
  /** What runs now, and what it was started from. */
  readonly runs?: Started | undefined;
}

/** What up would do for one application; nothing is done yet. */
export interface Plan {
  readonly application: Application;
  readonly record: UpRecord | undefined;
  /** Files to write or, where undefined, to remove; by path. */
  readonly changes: ReadonlyMap<Bytes, Piece | undefined>;
  readonly steps: readonly Step[];
}

/**
 * Compares what is there with what the operands say, all of them together: files of one may name those of another. Throws Failure: 2 when a
 * file has a mistake, 125 when a file is in the way.
 */
export async function planAll(
  realm: Realm,
  bus: ManagerBus,
  applications: readonly Application[],
  force: boolean,
): Promise<Plan[]> {
  const { host } = realm;
  const base = directoryOf(realm);
  const drafts = applications.map(application => {
    const record = readRecord(host, recordPath(base, application.name));
    if (record !== undefined && record.source !== application.source && !force) {
      const hint = `\`berth down\` takes it away, --force replaces it`;
      throw new Failure(125, `${application.name}: brought up from ${record.source} already: ${hint}`);
    }
    return { application, record, changes: changesOf(host, application, record, force) };
  });
  const view = viewOf(host, new Map(drafts.flatMap(({ changes }) => [...changes])));
  return withFollowers(await Promise.all(drafts.map(draft => planOf(realm, bus, view, draft))));
}

async function planOf(realm: Realm, bus: ManagerBus, view: Host, draft: Omit<Plan, 'steps'>): Promise<Plan> {
  const { application, record } = draft;
  const user = realm.scope.kind === 'user';
  const names = application.pieces.map(one => one.path);
  const wanted = servicesOf(view, user, unitFiles(application, names), othersNow(application));
  refuseMistakes(wanted.problems, application);
  const present = presentServices(realm, application, Object.keys(record?.files ?? {}));
  const gone = present.filter(one => !wanted.services.some(({ unit }) => unit === one.unit));
  const steps = await Promise.all([
    ...wanted.services.map(one => stepsFor(realm, bus, one, { wanted: wanted.services, present, record })),
    ...gone.map(one => removals(bus, one)),
  ]);
  return { ...draft, steps: steps.flat() };
}

/** Services of the files that an application has installed now. */
export function presentServices(
  realm: Realm,
  application: Pick<Application, 'directory'>,
  names: readonly Bytes[],
): readonly Service[] {
  const view = viewOf(realm.host, new Map());
  const others = othersBefore(realm.host, application, names);
  return servicesOf(view, realm.scope.kind === 'user', unitFiles(application, names), others).services;
}

function unitFiles({ directory }: Pick<Application, 'directory'>, names: readonly Bytes[]): Set<Bytes> {
  return new Set(names.filter(name => typeOf(name) !== undefined).map(name => `${directory}/${name}`));
}

/** Files that differ. What somebody placed or changed by hand is not touched without `force`. */
function changesOf(
  host: Host,
  { directory, pieces }: Application,
  record: UpRecord | undefined,
  force: boolean,
): Map<Bytes, Piece | undefined> {
  const changes = new Map<Bytes, Piece | undefined>();
  const wrote = record?.files ?? {};
  const inTheWay: string[] = [];
  for (const piece of pieces) {
    const path = `${directory}/${piece.path}`;
    const now = fileHash(host, path);
    if (now === pieceHash(piece)) continue;
    if (now !== undefined && now !== wrote[piece.path]) inTheWay.push(path);
    changes.set(path, piece);
  }
  for (const [name, hash] of Object.entries(wrote)) {
    if (pieces.some(piece => piece.path === name)) continue;
    const path = `${directory}/${name}`;
    const now = fileHash(host, path);
    if (now === undefined) continue;
    if (now !== hash) inTheWay.push(path);
    changes.set(path, undefined);
  }
  if (inTheWay.length > 0 && !force)
    throw new Failure(
      125,
      inTheWay.map(path => `${path}: placed or changed by hand: move it away, or use --force`),
    );
  return changes;
}

function refuseMistakes(problems: readonly Problem[], application: Application): void {
  const { directory, source, pieces } = application;
  const single = pieces.some(one => source.endsWith(`/${one.path}`));
  const root = single ? source.slice(0, source.lastIndexOf('/')) : source;
  const sources = new Map(pieces.map(one => [`${directory}/${one.path}`, `${root}/${one.path}`]));
  const errors = problems.filter(p => p.severity === 'error').map(p => describeAs(p, sources));
  if (errors.length > 0) throw new Failure(2, errors);
}

function othersNow({ directory, pieces }: Application): Other[] {
  return pieces.flatMap(({ path, text }) =>
    isOther(path) && text !== undefined ? [{ path: `${directory}/${path}`, text }] : [],
  );
}

function othersBefore(host: Host, { directory }: Pick<Application, 'directory'>, names: readonly Bytes[]): Other[] {
  return names.filter(isOther).flatMap(name => {
    const path = `${directory}/${name}`;
    return host.lstat(path)?.kind === 'file' ? [{ path, text: host.readFile(path) }] : [];
  });
}

/** Unit files and drop-ins are in the text of their service already. */
function isOther(path: Bytes): boolean {
  return typeOf(path) === undefined && !/\.(container|pod|volume|network|kube|image|build|artifact)\.d\//.test(path);
}

interface Compared {
  readonly wanted: readonly Service[];
  readonly present: readonly Service[];
  readonly record: UpRecord | undefined;
}

/** One step, or for a template one for each instance that runs. */
async function stepsFor(
  realm: Realm,
  bus: ManagerBus,
  service: Service,
  { wanted, present, record }: Compared,
): Promise<Step[]> {
  const old = present.find(one => one.unit === service.unit);
  const running = service.template ? await unitsLike(bus, service.unit.replace('@.', '@*.')) : [service.unit];
  const units = running.filter(unit => !service.template || !wanted.some(one => one.unit === unit));
  const steps = await Promise.all(
    units.map(async unit => stepFor(realm.host, service, old, await unitProperties(bus, unit), record?.started[unit])),
  );
  if (!service.template || steps.length > 0) return steps;
  const { unit, file, full: hash } = service;
  const action = old === undefined ? 'create' : 'nothing';
  return [
    { unit, action, file, reason: 'a template: its instances are started by name', hash, follows: [], starts: false },
  ];
}

const UP = new Set(['active', 'reloading', 'refreshing']);

function stepFor(
  host: Host,
  service: Service,
  old: Service | undefined,
  state: UnitState,
  started: Started | undefined,
): Step {
  const { file, hash, full } = service;
  const carried = carriedHash(host, state.fragmentPath);
  if (carried === undefined && state.fragmentPath !== '')
    throw new Failure(
      125,
      `${state.name}: ${state.fragmentPath} is a unit of this name: rename the file, or remove that one`,
    );
  const isUp = UP.has(state.activeState);
  const runs = isUp || state.activeState === 'activating' ? runningFrom(state, old, started) : undefined;
  const make = (action: Action, reason: string): Step => {
    return {
      unit: state.name,
      action,
      file,
      reason,
      hash: full,
      follows: [...state.requires, ...state.partOf],
      starts: true,
      runs,
    };
  };
  if (carried === undefined) return make('create', 'it is new');
  if (runs !== undefined) {
    if (carried !== hash || runs.hash !== full) return make('restart', 'its files changed');
    // Then a start joins the one that is on its way, or goes before the restart that waits.
    return isUp ? make('nothing', 'it is up') : make('start', waitsForRestart(state) ? ENDED : 'it is starting still');
  }
  const ended = state.type === 'oneshot' && !state.remains && state.result === 'success';
  if (ended && carried === hash && started?.hash === full) return make('nothing', 'it ran to its end');
  return make('start', state.activeState === 'failed' ? 'it failed' : 'it is not up');
}

const ENDED = 'it has ended and waits for its restart';

/** Whoever started it otherwise than by `up` started what was installed. That holds until the files change: up-files.ts notes it then. */
function runningFrom({ invocation }: UnitState, old: Service | undefined, started: Started | undefined): Started {
  return { hash: started?.invocation === invocation ? started.hash : (old?.full ?? ''), invocation };
}

/** Stops a unit, or the instances of a template. */
export async function removals(bus: ManagerBus, { unit, file, template }: Service): Promise<Step[]> {
  const units = template ? await unitsLike(bus, unit.replace('@.', '@*.')) : [unit];
  return units.map(one => ({
    unit: one,
    action: 'remove',
    file,
    reason: 'its file is gone',
    hash: '',
    follows: [],
    starts: true,
  }));
}
