import { isNamedNetwork, NAMESPACE_UNIT } from '../command/networks.ts';
import type { Host } from '../host/host.ts';
import type { FoundImage } from '../image/resolve.ts';
import type { RunRequest } from '../plan/request.ts';
import { availableControllers, isDelegated } from './cgroup.ts';
import { findContext, requireUnified, type Context } from './context.ts';
import { runtimeDirectory } from './directories.ts';
import { Failure } from './failure.ts';
import { foreignRuntime } from './foreign.ts';
import { consolePath } from './foreign-terminal.ts';
import type { Parts } from './parts.ts';
import type { Place } from './prepare.ts';

/** Where a start happens, and who waits for the payload. */
export interface StartPlace extends Place {
  readonly id: string;
  readonly runtime: string;
  readonly context: Context;
  /** Path of the unit's control group; empty: no groups are made. Only right after `arrive`. */
  readonly unitPath: string;
  /** A scope is still to be entered: first `enter`, then `arrive`. */
  readonly late: boolean;
  /** Asks systemd for the scope, with the stage in it when there is one already; systemd works while we do. */
  enter(stage?: number): void;
  /** Waits for the scope: where we are then. */
  arrive(): StartPlace;
  /** The payload becomes the unit's main process and we leave; otherwise we stay and attend to it. */
  readonly handsOver: boolean;
  /** Where another runtime sends its terminal; empty: nowhere. */
  readonly console: string;
}

/** What the verb decides: the id of this start (64 hexadecimal digits) and the store. */
export interface Wanted {
  readonly id: string;
  readonly store: string;
  readonly image?: FoundImage;
  /** Finds the image once more, or fetches it: it was removed meanwhile. */
  readonly ensure?: () => FoundImage | undefined;
  readonly again?: boolean;
}

export function choosePlace(host: Host, parts: Parts, request: RunRequest, wanted: Wanted): StartPlace {
  const { name } = request;
  const runtime = runtimeDirectory(host);
  const context = findContext(host);
  const bundle = `${runtime}/containers/${name}`;
  const foreign = foreignRuntime(request);
  const handsOver = request.detach && context.notify;
  const settled = (at: Context): StartPlace => {
    const unitPath = request.cgroups === 'disabled' ? '' : groupPath(host, at);
    const place: StartPlace = {
      ...wanted,
      name,
      runtime,
      context: at,
      handsOver,
      unitPath,
      controllers: unitPath === '' ? [] : availableControllers(host, unitPath),
      bundle,
      foreign,
      console: request.tty && foreign !== '' ? consolePath(foreign, bundle) : '',
      notifySocket: handsOver && request.sdnotify === 'container',
      late: false,
      enter: () => undefined,
      arrive: () => place,
    };
    return place;
  };
  if (context.inUnit || request.cgroups === 'disabled') return settled(context);
  if (!context.systemd) return settled(warned(host, 'systemd does not run here', context));
  const scope = openScope(host, parts, context, request, wanted.id);
  const nowhere = { ...context, own: { unit: '', manager: '', path: '', below: '' } } as const;
  return {
    ...settled(nowhere),
    controllers: availableControllers(host, managerPath(host)),
    late: true,
    enter: stage => scope.enter(stage),
    arrive: () => settled(scope.arrive()),
  };
}

/** For a look at what a start in a unit of its own would meet. */
export function expectedPlace(host: Host, request: RunRequest, store: string): Place {
  const { name } = request;
  return {
    store,
    name,
    bundle: `${runtimeDirectory(host)}/containers/${name}`,
    controllers: availableControllers(host, managerPath(host)),
    notifySocket: false,
    foreign: foreignRuntime(request),
  };
}

/** Where a container is made that nobody starts yet. */
export function restingPlace(host: Host, request: RunRequest, wanted: Wanted): StartPlace {
  const place: StartPlace = {
    ...wanted,
    ...expectedPlace(host, request, wanted.store),
    runtime: runtimeDirectory(host),
    context: findContext(host),
    unitPath: '',
    late: false,
    enter: () => undefined,
    arrive: () => place,
    handsOver: false,
    console: '',
  };
  return place;
}

/** The group of the manager itself: what it has, a delegated scope of it gets. */
function managerPath(host: Host): string {
  return host.euid === 0 ? '' : `/user.slice/user-${host.euid}.slice/user@${host.euid}.service`;
}

/** systemd is going to move a process of ours: the kernel prepares for it now. Named is a group whose only process stays, the manager itself. */
export function expectMove(host: Host): void {
  host.expectMove(`/sys/fs/cgroup${managerPath(host)}/init.scope/cgroup.procs`);
}

/** What a container of a person needs that is in networks of its account. */
export function namespaceUnits(host: Host, networks: readonly string[]): string[] {
  return host.euid !== 0 && networks.some(isNamedNetwork) ? [NAMESPACE_UNIT] : [];
}

interface Scope {
  enter(stage?: number): void;
  arrive(): Context;
}

/**
 * A person's foreground container gets a scope, so that systemd knows it. Without a manager: one warning, and a plain child. The
 * connection is made and the kernel prepares for the move while we look for the image and plan.
 */
function openScope(host: Host, parts: Parts, context: Context, request: RunRequest, id: string): Scope {
  const { name } = request;
  requireUnified(host, context);
  expectMove(host);
  let problem = '';
  const attempt = <T>(step: () => T): T | undefined => {
    try {
      return problem === '' ? step() : undefined;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  };
  const link = attempt(() => parts.systemd.linkTo(host, host.euid === 0 ? 'system' : 'user'));
  let wait: (() => void) | undefined;
  return {
    enter(stage) {
      const pids = stage === undefined ? [host.pid] : [host.pid, stage];
      const wish = { description: `berth container ${name}`, pids, requires: namespaceUnits(host, request.networks) };
      wait = attempt(() => link?.beginScope(`berth-${name}-${id.slice(0, 12)}.scope`, wish));
    },
    arrive() {
      attempt(() => wait?.());
      link?.close();
      return problem === '' ? findContext(host) : warned(host, problem, context);
    },
  };
}

function warned(host: Host, reason: string, context: Context): Context {
  host.write(2, `berth: warning: ${reason}; the container runs as a plain child, without a control group of its own\n`);
  return { ...context, own: { unit: '', manager: '', path: '', below: '' } };
}

function groupPath(host: Host, context: Context): string {
  if (context.own.unit === '') return '';
  requireUnified(host, context);
  if (isDelegated(host, context.own.path)) return context.own.path;
  if (!context.inUnit) return '';
  throw new Failure(
    125,
    `${context.own.unit}: its control group ${context.own.path} is not ours to divide; the unit needs Delegate=yes`,
  );
}
