import { UPDATE } from '../command/options-seeing.ts';
import type { Host } from '../host/host.ts';
import { planCgroup } from '../plan/cgroup.ts';
import { newContext } from '../plan/context.ts';
import { parseRunRequest } from '../plan/request-parse.ts';
import type { PlanFacts } from '../plan/types.ts';
import { availableControllers, enableControllers, writeLimit } from '../run/cgroup.ts';
import { isAlive, requireContainer } from '../run/containers.ts';
import { Failure, failureOf } from '../run/failure.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';
import { readerOf } from './reader.ts';
import { tellOf } from './tell.ts';

/**
 * `berth update`: other limits for a running container, in the files of its control group, which are the unit's own to write. The next
 * start reads the unit file again.
 */
export function main(host: Host): number {
  const command = commandLine(host, UPDATE);
  if (typeof command === 'number') return command;
  const [word = ''] = command.operands;
  if (command.options.length === 0)
    throw new Failure(125, 'nothing to change; name a limit, such as --memory or --cpus');
  const { state } = requireContainer(host, word);
  if (!isAlive(host, state)) throw new Failure(125, `${word}: container is not running`);
  if (state.cgroup === '') throw new Failure(125, `${word}: has no control group that could be limited`);
  const request = parseRunRequest(
    { ...command, verb: 'run', globals: [], operands: ['image'] },
    readerOf(host),
    'none',
  );
  if (request.isErr()) throw failureOf(request.error);
  const unit = state.cgroup.slice(0, state.cgroup.lastIndexOf('/'));
  // Of the facts the limits need the controllers alone.
  const facts = { controllers: availableControllers(host, unit) } as unknown as PlanFacts;
  const context = newContext({ request: request.value, facts });
  const { files } = planCgroup(context, true);
  if (context.problems.length > 0) throw failureOf(context.problems);
  // The number of processes that a start allows by itself was not asked for.
  const wanted = files.filter(limit => limit.required || limit.controller === 'memory');
  if (wanted.length === 0)
    throw new Failure(125, `${word}: nothing to change; these options set no limit by themselves`);
  enableControllers(host, `/sys/fs/cgroup${unit}`, wanted);
  for (const limit of wanted) writeLimit(host, `/sys/fs/cgroup${state.cgroup}`, limit);
  tellOf(host, 'update', state, 'has other limits');
  host.write(1, `${state.id}\n`);
  if (state.unit !== '') say(host, `until ${state.name} is started again: then its unit file counts (${state.unit})`);
  return 0;
}
