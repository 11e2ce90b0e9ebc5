import type { Host } from '../host/host.ts';
import type { Spec, SpecProcess } from '../plan/spec.ts';
import { openPayload } from './containers.ts';
import { execProcess } from './exec-process.ts';
import { Failure } from './failure.ts';
import { FORWARDED, statusOf } from './finish.ts';
import { joinContainer } from './join.ts';
import { sendConsole } from './oci-create.ts';
import { readRecord } from './oci-record.ts';

export interface OciExecRequest {
  /** File with a `process` object of the specification; absent: the bundle's, changed by the rest. */
  readonly process: string | undefined;
  readonly command: readonly string[];
  readonly consoleSocket: string | undefined;
  readonly pidFile: string | undefined;
  readonly cwd: string | undefined;
  readonly environment: readonly string[];
  readonly user: string | undefined;
  readonly tty: boolean;
  readonly detach: boolean;
  readonly noNewPrivileges: boolean;
}

/** `oci exec`: a further process; its exit status is ours unless it is detached. */
export function ociExec(host: Host, root: string, id: string, request: OciExecRequest): number {
  const record = readRecord(host, root, id);
  const payload = openPayload(host, record);
  if (payload === undefined) throw new Failure(1, `${id}: container not running`);
  const spec = JSON.parse(host.readFile(`${record.bundle}/config.json`)) as Spec;
  const process = processOf(host, record.pid, spec, request);
  const tty = process.terminal === true;
  const joined = joinContainer(host, {
    spec,
    process,
    defaultSeccomp: false,
    payload,
    group: record.cgroup === '' ? '' : `/sys/fs/cgroup${record.cgroup}`,
    stdio: tty ? ['null', 'null', 'null'] : ['inherit', 'inherit', 'inherit'],
  });
  if (request.pidFile !== undefined) host.writeFileAtomic(request.pidFile, String(joined.stage.pid), 0o644);
  const { terminal, outcome } = joined;
  if (terminal !== undefined && request.consoleSocket !== undefined) sendConsole(host, request.consoleSocket, terminal);
  if (request.detach) return outcome === '' ? 0 : 1;
  return statusOf(
    host.attend(joined.stage, {
      forward: FORWARDED,
      child: true,
      ...(terminal === undefined || request.consoleSocket !== undefined ? {} : { terminal }),
    }),
  );
}

function processOf(host: Host, pid: number, spec: Spec, request: OciExecRequest): SpecProcess {
  if (spec.process === undefined) throw new Failure(1, 'the bundle has no process');
  const base =
    request.process === undefined ? spec.process : (JSON.parse(host.readFile(request.process)) as SpecProcess);
  if (request.process !== undefined) return base;
  if (request.command.length === 0) throw new Failure(1, 'name a command, or give --process');
  const process = execProcess(host, pid, base, {
    command: request.command,
    environment: request.environment,
    tty: request.tty,
    ...(request.cwd === undefined ? {} : { workdir: request.cwd }),
    ...(request.user === undefined ? {} : { user: request.user }),
  });
  return request.noNewPrivileges ? { ...process, noNewPrivileges: true } : process;
}
