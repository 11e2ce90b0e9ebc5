import { RUN } from '../command/options-run.ts';
import { globalValue } from '../command/read.ts';
import { HostError, type Host } from '../host/host.ts';
import { parseRunRequest, type Reader } from '../plan/request-parse.ts';
import { findContext } from '../run/context.ts';
import { failureOf } from '../run/failure.ts';
import { ensureImage } from '../run/fetch.ts';
import { printStart } from '../run/preview.ts';
import { namingSandbox } from '../run/sandbox.ts';
import { startContainer } from '../run/start.ts';
import { verb } from './edge.ts';
import { PARTS } from './parts.ts';
import { storeOf } from './place.ts';
import { runDetached } from './run-detached.ts';

/** `berth run`: see run/start.ts for how a container starts. */
export const main: (host: Host) => number = verb(RUN, (host, command) => {
  const id = host.random(32);
  const parsed = parseRunRequest(command, readerOf(host), id.slice(0, 12));
  if (parsed.isErr()) throw failureOf(parsed.error);
  const request = parsed.value;
  const store = storeOf(host, command);
  if (globalValue(command, 'print-ops') === 'true') return printStart(host, PARTS, request, { id, store });
  const context = findContext(host);
  const image = ensureImage(host, command, request, store, context.notify);
  if (request.detach && !context.notify) return runDetached(host, context, command, request, store);
  const wanted = image === undefined ? { id, store } : { id, store, image };
  return namingSandbox(host, () => startContainer(host, PARTS, request, wanted));
});

function readerOf(host: Host): Reader {
  return {
    readFile(path) {
      try {
        return host.readFile(path);
      } catch (error) {
        if (error instanceof HostError) return undefined;
        throw error;
      }
    },
    environment: name => host.environment(name),
    environmentList: () => host.environmentList(),
    cwd: () => host.cwd(),
  };
}
