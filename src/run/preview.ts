import type { Host } from '../host/host.ts';
import { compileRun } from '../ops/compile.ts';
import { printOps } from '../ops/print.ts';
import type { RunRequest } from '../plan/request.ts';
import { runtimeDirectory } from './directories.ts';
import type { Parts } from './parts.ts';
import type { Wanted } from './place.ts';
import { prepare } from './prepare.ts';

/** `--print-ops`: what the stage of this start would play. Nothing is made and nothing is started. */
export function printStart(host: Host, parts: Parts, request: RunRequest, wanted: Wanted): number {
  const { name } = request;
  const bundle = `${runtimeDirectory(host)}/containers/${name}`;
  const { plan } = prepare(host, parts, request, {
    store: wanted.store,
    name,
    bundle,
    controllers: [],
    foreign: '',
    notifySocket: false,
  });
  for (const warning of plan.warnings) host.write(2, `berth: warning: ${warning}\n`);
  const { ops, opened } = compileRun(host, { ...plan, secretEnvironment: [] }, { bundle });
  for (const fd of opened) host.close(fd);
  host.write(1, printOps(ops));
  return 0;
}
