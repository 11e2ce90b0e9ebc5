import type { Bytes } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import type { Line } from '../systemd/jobs.ts';
import { reloadManager } from '../systemd/unit-files.ts';
import type { Realm } from './scope.ts';
import { removeFile } from './up-files.ts';
import { presentServices, removals } from './up-plan.ts';
import { fileHash, listRecords, recordPath, type UpRecord } from './up-record.ts';
import { stopUnits } from './up-run.ts';
import { directoryOf } from './up-source.ts';

interface Installed {
  readonly name: Bytes;
  readonly directory: Bytes;
  readonly record: UpRecord;
}

/** `berth down`: stops the units and removes the files that `up` installed, and nothing else. Volumes and images stay. */
export async function takeDown(realm: Realm, line: Line, operands: readonly Bytes[], force: boolean): Promise<number> {
  const { host } = realm;
  const base = directoryOf(realm);
  const known = listRecords(host, base).map(one => ({ ...one, directory: directoryIn(base, one.name, one.record) }));
  const chosen = operands.map(operand => choose(realm, known, operand));
  if (!force) refuseChanged(realm, chosen);
  const services = chosen.flatMap(one => presentServices(realm, one, Object.keys(one.record.files)));
  const steps = (await Promise.all(services.map(one => removals(line.bus, one)))).flat();
  const units = [...new Set(steps.map(step => step.unit))];
  const status = await stopUnits(realm, line, units);
  if (status !== 0) return status;
  for (const { name, directory, record } of chosen) {
    for (const file of Object.keys(record.files)) removeFile(host, `${directory}/${file}`, base);
    host.unlink(recordPath(base, name));
  }
  // That one failed, or was killed at its stop, is not kept for a unit that is gone; one that is not loaded has nothing to forget.
  for (const unit of units)
    await line.bus.call({ member: 'ResetFailedUnit', signature: 's', body: [unit] }).catch(() => undefined);
  await reloadManager(line.bus);
  return 0;
}

/** A single unit file lies in the directory of unit files itself. */
function directoryIn(base: Bytes, name: Bytes, record: UpRecord): Bytes {
  return record.files[name] === undefined ? `${base}/${name}` : base;
}

/** By the path that `up` was told, which may be gone, or by the application's name. */
function choose({ host }: Realm, known: readonly Installed[], operand: Bytes): Installed {
  const path = operand.startsWith('/') ? operand : `${host.cwd()}/${operand}`;
  const real = host.realpath(path) ?? path.replace(/\/+$/, '');
  const found = known.find(one => one.record.source === real) ?? known.find(one => one.name === operand);
  if (found !== undefined) return found;
  const names = known.map(one => one.name).join(', ');
  const hint = names === '' ? 'up has installed nothing' : `up has installed ${names}`;
  throw new Failure(125, `${operand}: nothing was brought up from there: ${hint}`);
}

function refuseChanged({ host }: Realm, chosen: readonly Installed[]): void {
  const changed = chosen.flatMap(({ directory, record }) =>
    Object.entries(record.files).flatMap(([name, hash]) => {
      const now = fileHash(host, `${directory}/${name}`);
      return now === undefined || now === hash ? [] : [`${directory}/${name}`];
    }),
  );
  if (changed.length > 0)
    throw new Failure(
      125,
      changed.map(path => `${path}: changed by hand since up wrote it: move it away, or use --force`),
    );
}
