import { isNamedNetwork } from '../command/networks.ts';
import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { writeState } from './containers.ts';
import { clearUnit, unitLeft } from './ending.ts';
import { Failure } from './failure.ts';
import { recordOf } from './finish.ts';
import { lockName } from './locks.ts';
import { make } from './make.ts';
import type { Parts } from './parts.ts';
import { restingPlace, type Wanted } from './place.ts';
import { prepare } from './prepare.ts';
import { stopForReplace, takeName } from './recover.ts';
import { prepareLocked, withUndo } from './start.ts';
import { makeUndo } from './undo.ts';

/**
 * Makes a container that is started later, in `unit`: what a start leaves on disk, and nothing that runs. For all others it is one that has
 * ended, which `start` takes up (again.ts), but for its having no end.
 */
export function createContainer(host: Host, parts: Parts, request: RunRequest, wanted: Wanted, unit: string): void {
  const place = restingPlace(host, request, wanted);
  const manager = host.euid === 0 ? 'system' : 'user';
  let left = place.context.systemd ? unitLeft(host, { manager, unit }) : undefined;
  if (left === 'other')
    throw new Failure(125, `${place.name}: there is a unit ${unit} already; give the container another name`);
  const check = (): void => void prepare(host, parts, request, place);
  stopForReplace(host, place.context, place.name, request.replace, check);
  // A start would start the words of the one before, which has ended by now.
  if (left !== undefined) left = unitLeft(host, { manager, unit });
  if (left === 'ends' || left === 'ended') clearUnit(host, { manager, unit }, left);
  const undo = makeUndo();
  const locks = [lockName(host, place.store, place.name)];
  try {
    takeName(host, parts, place.store, place.name);
    const prepared = prepareLocked(host, parts, request, place, locks);
    locks.push(...make(host, parts, prepared, place, undo, request.remove).locks);
    writeState(host, place.bundle, {
      ...recordOf(host, { place, prepared, request }),
      pid: 0,
      startTime: '',
      unit,
      manager,
      cgroup: '',
      network: { kind: 'none', data: { networks: namesOf(request) } },
    });
    if (request.cidfile !== undefined) host.writeFileAtomic(request.cidfile, place.id, 0o644);
  } catch (error) {
    throw withUndo(error, undo.run());
  } finally {
    for (const lock of locks) lock.release();
  }
}

/** Of the networks that its start is going to attach it to. */
function namesOf({ networks }: RunRequest): string[] {
  return networks.filter(isNamedNetwork).map(value => value.split(':')[0] ?? '');
}
