import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';

type Program = (host: Host) => number | Promise<number>;

/** `berth container WORD`: what is not merely another name of `berth WORD` (native/main.c knows these). */
const PROGRAMS: Readonly<Record<string, () => Promise<{ main: Program }>>> = {
  exists: () => import('./container-exists.ts'),
  prune: () => import('./container-prune.ts'),
};

export async function main(host: Host): Promise<number> {
  const word = host.argv[host.argv.indexOf('container') + 1] ?? '';
  const load = PROGRAMS[word];
  if (load === undefined)
    throw new Failure(
      125,
      `container ${word}: no such verb; 'berth help' lists them, and each works behind 'container', too`,
    );
  return (await load()).main(host);
}
