import type { Parts } from '../run/parts.ts';
import { createVolumes, chooseVolumes, markFilled, removeVolumes } from '../volume/volumes.ts';
import { setUp, tearDown } from '../network/network.ts';
import { attachProcess, beginScope, startScope } from '../systemd/transient.ts';

/** The folders above `run/` that a start needs: this is where they are put together. */
export const PARTS: Parts = {
  network: { setUp, tearDown },
  volumes: { choose: chooseVolumes, create: createVolumes, markFilled, remove: removeVolumes },
  systemd: { startScope, beginScope, attach: attachProcess },
};
