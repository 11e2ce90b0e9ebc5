import { CREATE } from '../command/options-run.ts';
import type { Host } from '../host/host.ts';
import type { FoundImage } from '../image/resolve.ts';
import { createContainer } from '../run/create.ts';
import { ensureImage } from '../run/fetch.ts';
import { verb } from './edge.ts';
import { PARTS } from './parts.ts';
import { storeOf } from './place.ts';
import { inBackground, keeperOf } from './run-detached.ts';
import { inPod, podWish } from './run-pod.ts';
import { parsedOf, requestOf } from './run-request.ts';

/**
 * `berth create`: the container of `run -d`, and how it is started, but for the start. Its pod runs from now on: the container is made for the
 * users that the holder has. Prints its id.
 */
export const main: (host: Host) => number = verb(CREATE, (host, given) => {
  const place = { id: host.random(32), store: storeOf(host, given) };
  const wish = podWish(host, place.store, inBackground(given));
  const parsed = parsedOf(host, wish.alone, place.id, place.store, false);
  const ensure = (): FoundImage | undefined => ensureImage(host, given, parsed.request, place.store, false);
  const image = ensure();
  return inPod(host, place.store, wish, parsed, (asked, command) => {
    const request = requestOf(host, asked, image);
    const keep = keeperOf(host, command, request, place);
    const wanted = image === undefined ? place : { ...place, image, ensure };
    createContainer(host, PARTS, request, wanted, `${request.name}.service`);
    keep();
    host.write(1, `${place.id}\n`);
    return 0;
  });
});
