import type { Parts } from '../run/parts.ts';
import { readSecret } from '../secret/store.ts';
import { createVolumes, chooseVolumes, markFilled, releaseVolumes, removeVolumes } from '../volume/volumes.ts';
import { nest } from '../network/namespace.ts';
import { setUp, tearDown } from '../network/network.ts';
import { choosePorts } from '../network/ports.ts';
import { linkTo } from '../systemd/transient.ts';

/** The folders above `run/` that a start needs: this is where they are put together. */
export const PARTS: Parts = {
  network: { choosePorts, nest, setUp, tearDown },
  volumes: {
    choose: chooseVolumes,
    create: createVolumes,
    markFilled,
    release: releaseVolumes,
    remove: removeVolumes,
  },
  secrets: { read: (host, store, name) => readSecret(host, store, name)?.data },
  systemd: { linkTo },
};
