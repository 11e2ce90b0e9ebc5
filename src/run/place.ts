import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { isDelegated } from './cgroup.ts';
import { findContext, requireUnified, type Context } from './context.ts';
import { runtimeDirectory } from './directories.ts';
import { Failure } from './failure.ts';
import { foreignRuntime } from './foreign.ts';
import type { Parts } from './parts.ts';
import type { Place } from './prepare.ts';

/** Where a start happens, and who waits for the payload. */
export interface StartPlace extends Place {
  readonly id: string;
  readonly runtime: string;
  readonly context: Context;
  /** The payload becomes the unit's main process and we leave; otherwise we stay and attend to it. */
  readonly handsOver: boolean;
}

/** What the verb decides: the id of this start (64 hexadecimal digits) and the store. */
export interface Wanted {
  readonly id: string;
  readonly store: string;
}

export function choosePlace(host: Host, parts: Parts, request: RunRequest, wanted: Wanted): StartPlace {
  const { id, store } = wanted;
  const { name } = request;
  const runtime = runtimeDirectory(host);
  let context = findContext(host);
  const handsOver = request.detach && context.notify;
  let unitPath = '';
  if (request.cgroups !== 'disabled') {
    if (!context.inUnit) context = enterScope(host, parts, context, name, id);
    unitPath = groupPath(host, context);
  }
  return {
    id,
    name,
    runtime,
    store,
    context,
    handsOver,
    unitPath,
    bundle: `${runtime}/containers/${name}`,
    foreign: foreignRuntime(request),
    notifySocket: handsOver && request.sdnotify === 'container',
  };
}

/** A person's foreground container gets a scope, so that systemd knows it. Without a manager: one warning, and a plain child. */
function enterScope(host: Host, parts: Parts, context: Context, name: string, id: string): Context {
  if (!context.systemd) return warned(host, 'systemd does not run here', context);
  requireUnified(host, context);
  const manager = host.euid === 0 ? 'system' : 'user';
  try {
    parts.systemd.startScope(host, manager, `berth-${name}-${id.slice(0, 12)}.scope`, {
      description: `berth container ${name}`,
      pid: host.pid,
    });
  } catch (error) {
    return warned(host, error instanceof Error ? error.message : String(error), context);
  }
  return findContext(host);
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
