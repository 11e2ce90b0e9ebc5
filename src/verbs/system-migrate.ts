import { SYSTEM_MIGRATE, SYSTEM_MIGRATE_LAYER } from '../command/options-admin.ts';
import { isSet, lastValue } from '../command/read.ts';
import { HostError, type Host } from '../host/host.ts';
import { withWork } from '../image/archive/ingest.ts';
import { ImageError } from '../image/error.ts';
import { migrateImage, planImage, type ImagePlan } from '../image/migrate/image.ts';
import {
  openPodmanStore,
  podmanImages,
  podmanLayers,
  type PodmanImage,
  type PodmanStore,
} from '../image/migrate/podman-store.ts';
import { assembleTarSplit } from '../image/migrate/tar-split.ts';
import { imagePath } from '../image/images.ts';
import { storeMap } from '../image/store-map.ts';
import { openStore } from '../image/store.ts';
import { Failure } from '../run/failure.ts';
import { copyVolume, volumeRecord } from '../volume/migrate/copy.ts';
import { podmanVolumes, usersOf, type PodmanVolume } from '../volume/migrate/podman-volumes.ts';
import { readVolume } from '../volume/record.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';

/**
 * `berth system migrate --from podman`: images and named volumes of the same account come over. What Podman has is only read; what is
 * here already stays as it is, so that it may be said again. Exit status 125 when something could not come.
 */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, SYSTEM_MIGRATE);
  if (typeof command === 'number') return command;
  const from = lastValue(command, 'from') ?? '';
  if (from !== 'podman') throw new Failure(125, 'system migrate: write berth system migrate --from podman');
  storeMap(host);
  const store = openStore(host);
  const source = openPodmanStore(host, lastValue(command, 'store'));
  const only = { images: isSet(command, 'images'), volumes: isSet(command, 'volumes') };
  const work: Job = { host, store, source, dry: isSet(command, 'dry-run'), tally: { done: 0, there: 0, failed: 0 } };
  if (only.images || !only.volumes) await images(work);
  if (only.volumes || !only.images) await volumes(work);
  const { done, there, failed } = work.tally;
  const rest = [there > 0 ? `${there} were there` : '', failed > 0 ? `${failed} could not` : ''].filter(Boolean);
  host.write(2, `${done} ${work.dry ? 'would come' : 'came'} over${rest.map(part => `, ${part}`).join('')}\n`);
  return failed > 0 ? 125 : 0;
}

interface Job {
  readonly host: Host;
  readonly store: string;
  readonly source: PodmanStore;
  readonly dry: boolean;
  readonly tally: { done: number; there: number; failed: number };
}

/** The half that runs in the user namespace: a layer's tar stream on standard output. */
export async function streamLayer(host: Host): Promise<number> {
  const command = commandLine(host, SYSTEM_MIGRATE_LAYER);
  if (typeof command === 'number') return command;
  const [split = '', tree = ''] = command.operands;
  await assembleTarSplit(split, tree, process.stdout);
  return 0;
}

async function images(job: Job): Promise<void> {
  const { host, store, source } = job;
  const layers = podmanLayers(host, source);
  for (const image of podmanImages(host, source)) {
    const label = image.names[0] ?? image.id.slice(0, 12);
    await attempt(job, `image ${label}`, async () => {
      const plan = planImage(host, store, source, image, layers);
      for (const name of plan.taken) say(host, `warning: ${name} means another image here, which keeps the name`);
      if (isThere(host, store, plan)) return void job.tally.there++;
      if (!job.dry)
        await withWork(host, store, work =>
          migrateImage(host, store, work, source, plan, line => say(host, `${label}: ${line}`)),
        );
      told(job, `image ${label} (${plan.image.id.slice(0, 12)}): ${countOf(plan, image)}`);
    });
  }
}

function isThere(host: Host, store: string, plan: ImagePlan): boolean {
  return (
    plan.missing.size === 0 && plan.names.length === 0 && host.lstat(imagePath(store, plan.image.id)) !== undefined
  );
}

function countOf(plan: ImagePlan, image: PodmanImage): string {
  const layers = plan.image.facts.layers.length;
  const names = image.names.length === 0 ? 'no name' : `${plan.names.length} names`;
  return `${plan.missing.size} of ${layers} layers, ${names}`;
}

async function volumes(job: Job): Promise<void> {
  const { host, store, source } = job;
  const { volumes: found, known } = podmanVolumes(host, source.root);
  if (!known) say(host, "warning: Podman's database is not one of SQLite: labels and options of volumes are not known");
  for (const volume of found) {
    await attempt(job, `volume ${volume.name}`, async () => {
      if (readVolume(host, store, volume.name) !== undefined) return void job.tally.there++;
      checkVolume(host, volume);
      if (!job.dry) await withWork(host, store, work => Promise.resolve(copyVolume(host, store, work, volume)));
      told(job, `volume ${volume.name}`);
    });
  }
}

function checkVolume(host: Host, volume: PodmanVolume): void {
  volumeRecord(host, volume);
  const users = usersOf(host, volume);
  if (users.length > 0)
    throw new Failure(125, `volume ${volume.name}: in use by ${users.join(', ')}; stop the container first`);
}

function told(job: Job, line: string): void {
  job.tally.done++;
  job.host.write(1, `${line}\n`);
}

/** One that fails does not keep the others from coming. */
async function attempt(job: Job, label: string, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    const known = error instanceof ImageError || error instanceof HostError || error instanceof Failure;
    if (!known && !(error instanceof SyntaxError)) throw error;
    const line = error instanceof Failure ? error.lines.join('; ') : error.message;
    say(job.host, line.startsWith(label) ? line : `${label}: ${line}`);
    job.tally.failed++;
  }
}
