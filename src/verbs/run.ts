import { RUN } from '../command/options-run.ts';
import { globalValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { findImage, type FoundImage } from '../image/resolve.ts';
import { findNamed } from '../run/containers.ts';
import { findContext } from '../run/context.ts';
import { ensureImage } from '../run/fetch.ts';
import { printStart } from '../run/preview.ts';
import { namingSandbox } from '../run/sandbox.ts';
import { startContainer } from '../run/start.ts';
import { verb } from './edge.ts';
import { PARTS } from './parts.ts';
import { storeOf } from './place.ts';
import { inBackground, keeperOf, runDetached } from './run-detached.ts';
import { inPod, podWish } from './run-pod.ts';
import { joined, parsedOf, requestOf } from './run-request.ts';
import { ID_VARIABLE } from '../run/state.ts';
import { startLimit } from '../systemd/start-limit.ts';

/** `berth run`: see run/start.ts for how a container starts. */
export const main: (host: Host) => number = verb(RUN, (host, given) => {
  const context = findContext(host);
  const preview = globalValue(given, 'print-ops') === 'true';
  const before = fromUnit(host);
  const id = before?.id ?? host.random(32);
  const store = storeOf(host, given);
  const wish = context.inUnit || preview ? undefined : podWish(host, store, given);
  const parsed = parsedOf(host, wish?.alone ?? given, id, store, before !== undefined);
  if (preview) return printStart(host, PARTS, joined(host, parsed), { id, store });
  const again = before !== undefined && isAgain(host, parsed.request, before);
  const own = again ? imageBefore(host, store, parsed.request.name) : undefined;
  const limit = (): number | undefined => startLimit(host, context.own);
  const ensure = (): FoundImage | undefined => ensureImage(host, given, parsed.request, store, context.notify, limit);
  const image = own ?? ensure();
  const start = (asked: RunRequest, command: Command): number => {
    const told = own === undefined ? undefined : findNamed(host, asked.name)?.state?.image;
    const request = requestOf(host, asked, image, told);
    if (request.detach && !context.notify) return runDetached(host, context, command, request, { id, store });
    const known = again ? { id, store, ensure, again } : { id, store, ensure };
    const wanted = image === undefined ? known : { ...known, image };
    const keeps = !request.detach && !request.remove && !context.inUnit && context.systemd;
    const keep = keeps ? keeperOf(host, inBackground(command), request, { id, store }) : undefined;
    const status = namingSandbox(host, () => startContainer(host, PARTS, request, wanted));
    keep?.();
    return status;
  };
  return wish === undefined ? start(joined(host, parsed), given) : inPod(host, store, wish, parsed, start);
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
