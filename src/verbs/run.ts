import { RUN } from '../command/options-run.ts';
import { globalValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { parseRunRequest } from '../plan/request-parse.ts';
import { findContext } from '../run/context.ts';
import { failureOf } from '../run/failure.ts';
import { ensureImage } from '../run/fetch.ts';
import { joinPod, podOf } from '../run/pod-join.ts';
import { printStart } from '../run/preview.ts';
import { namingSandbox } from '../run/sandbox.ts';
import { startContainer } from '../run/start.ts';
import { verb } from './edge.ts';
import { PARTS } from './parts.ts';
import { storeOf } from './place.ts';
import { readerOf } from './reader.ts';
import { ID_VARIABLE, runDetached } from './run-detached.ts';

/** `berth run`: see run/start.ts for how a container starts. */
export const main: (host: Host) => number = verb(RUN, (host, command) => {
  const id = idFrom(host) ?? host.random(32);
  const store = storeOf(host, command);
  const member = podOf(host, store, command);
  const parsed = parseRunRequest(member?.command ?? command, readerOf(host), id.slice(0, 12));
  if (parsed.isErr()) throw failureOf(parsed.error);
  const request = member === undefined ? parsed.value : joinPod(host, parsed.value, member.pod);
  if (globalValue(command, 'print-ops') === 'true') return printStart(host, PARTS, request, { id, store });
  const context = findContext(host);
  const image = ensureImage(host, command, request, store, context.notify);
  if (request.detach && !context.notify) return runDetached(host, context, command, request, { id, store });
  const wanted = image === undefined ? { id, store } : { id, store, image };
  return namingSandbox(host, () => startContainer(host, PARTS, request, wanted));
});

/** Of a transient unit: who made it has told the journal this id. */
function idFrom(host: Host): string | undefined {
  const id = host.environment(ID_VARIABLE);
  return id !== undefined && /^[0-9a-f]{64}$/.test(id) && findContext(host).inUnit ? id : undefined;
}
