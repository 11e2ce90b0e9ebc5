import { CREATE } from '../command/options-run.ts';
import type { Host } from '../host/host.ts';
import { createContainer } from '../run/create.ts';
import { ensureImage } from '../run/fetch.ts';
import { verb } from './edge.ts';
import { PARTS } from './parts.ts';
import { storeOf } from './place.ts';
import { inBackground, keeperOf } from './run-detached.ts';
import { askedOf, requestOf } from './run-request.ts';

/** `berth create`: the container of `run -d`, and how it is started, but for the start. Prints its id. */
export const main: (host: Host) => number = verb(CREATE, (host, command) => {
  const place = { id: host.random(32), store: storeOf(host, command) };
  const background = inBackground(command);
  const asked = askedOf(host, background, place.id, place.store, false);
  const image = ensureImage(host, command, asked, place.store, false);
  const request = requestOf(host, asked, image);
  const keep = keeperOf(host, background, request, place);
  const wanted = image === undefined ? place : { ...place, image };
  createContainer(host, PARTS, request, wanted, `${request.name}.service`);
  keep();
  host.write(1, `${place.id}\n`);
  return 0;
});
