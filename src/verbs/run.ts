import { RUN } from '../command/options-run.ts';
import { globalValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { findImage, type FoundImage } from '../image/resolve.ts';
import { findNamed } from '../run/containers.ts';
import { findContext } from '../run/context.ts';
import { ensureImage } from '../run/fetch.ts';
import { podOf } from '../run/pod-join.ts';
import { printStart } from '../run/preview.ts';
import { namingSandbox } from '../run/sandbox.ts';
import { startContainer } from '../run/start.ts';
import { verb } from './edge.ts';
import { PARTS } from './parts.ts';
import { storeOf } from './place.ts';
import { inBackground, keeperOf, runDetached } from './run-detached.ts';
import { startPodOf, withNewPod } from './run-pod.ts';
import { askedOf, requestOf } from './run-request.ts';
import { ID_VARIABLE } from '../run/state.ts';
import { startLimit } from '../systemd/start-limit.ts';

/** `berth run`: see run/start.ts for how a container starts. */
export const main: (host: Host) => number = verb(RUN, (host, given) => {
  const context = findContext(host);
  const preview = globalValue(given, 'print-ops') === 'true';
  const command = context.inUnit || preview ? given : withNewPod(host, given);
  const before = fromUnit(host);
  const id = before?.id ?? host.random(32);
  const store = storeOf(host, command);
  const member = context.inUnit || preview ? undefined : podOf(host, store, command);
  if (member !== undefined) startPodOf(host, member.pod);
  const asked = askedOf(host, command, id, store, before !== undefined);
  if (preview) return printStart(host, PARTS, asked, { id, store });
  const again = before !== undefined && isAgain(host, asked, before);
  const own = again ? imageBefore(host, store, asked.name) : undefined;
  const image = own ?? ensureImage(host, command, asked, store, context.notify, () => startLimit(host, context.own));
  const request = requestOf(
    host,
    asked,
    image,
    own === undefined ? undefined : findNamed(host, asked.name)?.state?.image,
  );
  if (request.detach && !context.notify) return runDetached(host, context, command, request, { id, store });
  const known = again ? { id, store, again } : { id, store };
  const wanted = image === undefined ? known : { ...known, image };
  const keeps = !request.detach && !request.remove && !context.inUnit && context.systemd;
  const keep = keeps ? keeperOf(host, inBackground(command), request, { id, store }) : undefined;
  const status = namingSandbox(host, () => startContainer(host, PARTS, request, wanted));
  keep?.();
  return status;
});

/** The unit was made for a further start of a container, or systemd starts it a further time, and it is one that keeps its files. */
function isAgain(host: Host, { name, remove }: RunRequest, before: { id: string; again: boolean }): boolean {
  return before.again || (!remove && findNamed(host, name)?.state?.id === before.id);
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
