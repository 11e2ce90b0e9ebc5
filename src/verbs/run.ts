import { RUN } from '../command/options-run.ts';
import { globalValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { parseRunRequest } from '../plan/request-parse.ts';
import { publishAll } from '../plan/publish-all.ts';
import { findImage, type FoundImage } from '../image/resolve.ts';
import { readWay } from '../run/again.ts';
import { findNamed } from '../run/containers.ts';
import { findContext } from '../run/context.ts';
import { failureOf } from '../run/failure.ts';
import { ensureImage } from '../run/fetch.ts';
import { joinUsers } from '../run/join-users.ts';
import { joinPod, podOf } from '../run/pod-join.ts';
import { printStart } from '../run/preview.ts';
import { namingSandbox } from '../run/sandbox.ts';
import { startContainer } from '../run/start.ts';
import { withVolumesOf } from '../run/volumes-from.ts';
import { verb } from './edge.ts';
import { PARTS } from './parts.ts';
import { storeOf } from './place.ts';
import { readerOf } from './reader.ts';
import { keeperOf, runDetached } from './run-detached.ts';
import { labelsFromUnit } from './run-environment.ts';
import { ID_VARIABLE } from '../run/state.ts';

/** `berth run`: see run/start.ts for how a container starts. */
export const main: (host: Host) => number = verb(RUN, (host, command) => {
  const before = fromUnit(host);
  const id = before?.id ?? host.random(32);
  const store = storeOf(host, command);
  const member = podOf(host, store, command);
  const parsed = parseRunRequest(member?.command ?? command, readerOf(host), id.slice(0, 12));
  if (parsed.isErr()) throw failureOf(parsed.error);
  const labels = before === undefined ? {} : labelsFromUnit(host);
  const labelled = { ...parsed.value, labels: { ...labels, ...parsed.value.labels } };
  const alone = withVolumes(host, store, labelled, before?.id);
  const asked = member === undefined ? joinUsers(host, alone) : joinPod(host, alone, member.pod);
  if (globalValue(command, 'print-ops') === 'true') return printStart(host, PARTS, asked, { id, store });
  const context = findContext(host);
  const again = before !== undefined && isAgain(host, asked, before);
  const own = again ? imageBefore(host, store, asked.name) : undefined;
  const image = own ?? ensureImage(host, command, asked, store, context.notify);
  const published = publishAll(asked, image?.record);
  if (published.isErr()) throw failureOf(published.error);
  const request = published.value;
  if (request.detach && !context.notify) return runDetached(host, context, command, request, { id, store });
  const known = again ? { id, store, again } : { id, store };
  const wanted = image === undefined ? known : { ...known, image };
  const keeps = !request.detach && !request.remove && !context.inUnit && context.systemd;
  const keep = keeps ? keeperOf(host, command, request, { id, store }) : undefined;
  const status = namingSandbox(host, () => startContainer(host, PARTS, request, wanted));
  keep?.();
  return status;
});

/** A further start has what the first one found, whatever became of the other containers. */
function withVolumes(host: Host, store: string, request: RunRequest, id: string | undefined): RunRequest {
  const kept = request.volumesFrom.length === 0 || id === undefined ? undefined : readWay(host, store, request.name);
  return kept?.mounts?.id === id && kept?.mounts !== undefined
    ? { ...request, mounts: kept.mounts.mounts }
    : withVolumesOf(host, request);
}

/** The unit is a container's that keeps its files: it was made for a further start of it, or systemd starts it a further time. */
function isAgain(host: Host, { name, remove }: RunRequest, before: { id: string; again: boolean }): boolean {
  return !remove && (before.again || findNamed(host, name)?.state?.id === before.id);
}

/** Of a transient unit: who made it has told the journal this id, and with a mark behind it that the container was there before. */
function fromUnit(host: Host): { id: string; again: boolean } | undefined {
  const [, id, mark] = /^([0-9a-f]{64})(\+?)$/.exec(host.environment(ID_VARIABLE) ?? '') ?? [];
  return id !== undefined && findContext(host).inUnit ? { id, again: mark === '+' } : undefined;
}

/** Started again, a container has the image that it was made from, whatever its name means by now. */
function imageBefore(host: Host, store: string, name: string): FoundImage | undefined {
  const id = findNamed(host, name)?.state?.imageId ?? '';
  return id === '' ? undefined : findImage(host, store, id);
}
