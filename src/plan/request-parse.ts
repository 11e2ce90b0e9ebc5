import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Command } from '../command/types.ts';
import { bad, newDraft, type Draft, type Reader } from './draft.ts';
import { applyOption } from './parse-options.ts';
import { finishEnvironment } from './parse-environment.ts';
import { checkWithNetwork, finishNetworks } from './parse-network.ts';
import { checkPorts } from './parse-ports.ts';
import { parseUserns } from './parse-userns.ts';
import { cleanPath, isName } from './parse-values.ts';
import { printable } from './printable.ts';
import type { RunRequest } from './request.ts';

export type { Reader } from './draft.ts';

/**
 * A command line of `run` as a checked request. Every bad value is a Problem that names option, value and what is right; all
 * are reported. `name` is the container's name when none is given.
 */
export function parseRunRequest(command: Command, reader: Reader, name: string): Result<RunRequest, Problem[]> {
  const draft = newDraft(reader, name);
  for (const use of command.options) applyOption(draft, use.name, use.value);
  for (const use of command.globals) if (use.name === 'runtime') draft.request.runtime = use.value;
  if (draft.request.removeImage && command.options.some(use => use.name === 'rm' && use.value === 'false'))
    bad(draft, 'rm', 'false', '--rmi removes the container, too', 'leave one of the two out');
  else if (draft.request.removeImage) draft.request.remove = true;
  readOperands(draft, command.operands);
  finishEnvironment(draft);
  finishNetworks(draft);
  parseUserns(draft);
  checkPorts(draft);
  finishCpu(draft);
  checkWithNetwork(draft);
  checkTogether(draft);
  return draft.problems.length > 0 ? err(draft.problems) : ok(draft.request as RunRequest);
}

function readOperands(draft: Draft, operands: readonly string[]): void {
  const [first = '', ...rest] = operands;
  draft.request.command = rest;
  if (first === '') {
    draft.problems.push(
      problem('operand-missing', draft.isRootfs ? 'the root directory is missing' : 'the image is missing'),
    );
    return;
  }
  if (!draft.isRootfs) {
    draft.request.image = first;
    return;
  }
  const overlay = first.endsWith(':O');
  const idmap = first.endsWith(':idmap');
  const written = overlay || idmap ? first.slice(0, first.lastIndexOf(':')) : first;
  const path = cleanPath(written.startsWith('/') ? written : `${draft.reader.cwd()}/${written}`);
  if (path === undefined || written.includes(':')) {
    draft.problems.push(
      problem('operand-value', printable(`--rootfs ${first}: not a directory`), {
        hint: 'write PATH, PATH:O or PATH:idmap',
      }),
    );
  } else draft.request.rootfs = idmap ? { path, overlay, idmap } : { path, overlay };
}

/** --cpu-quota and --cpu-period say what --cpus says. */
function finishCpu(draft: Draft): void {
  const { cpu, request } = draft;
  if (cpu.period === undefined && cpu.quota === undefined) return;
  if (request.resources.cpus !== undefined) {
    draft.problems.push(problem('option-conflict', '--cpus excludes --cpu-period and --cpu-quota', { key: '--cpus' }));
    return;
  }
  const quota = cpu.quota === undefined || cpu.quota <= 0 ? 'max' : String(cpu.quota);
  const unified = { ...request.resources.unified, 'cpu.max': `${quota} ${cpu.period ?? 100000}` };
  request.resources = { ...request.resources, unified };
}

function checkTogether(draft: Draft): void {
  const { request, problems } = draft;
  const conflict = (text: string, hint: string): void => {
    problems.push(problem('option-conflict', text, { hint }));
  };
  if (!isName(request.name)) {
    const hint = 'names match [a-zA-Z0-9][a-zA-Z0-9_.-]* and have at most 255 bytes';
    problems.push(problem('option-value', printable(`--name ${request.name}: not a name`), { key: '--name', hint }));
  }
  if (request.hostname !== undefined && request.uts !== 'private') {
    conflict('--hostname needs a host name namespace of its own', 'leave out --uts');
  }
  if (request.restart.after !== 'never' && (request.remove || !request.detach)) {
    const why = request.remove ? '--rm leaves nothing to start again' : 'it is for --detach';
    conflict(`--restart: ${why}`, 'in a unit file write Restart= in [Service]; elsewhere give -d without --rm');
  }
  if (request.tty && request.detach && request.logDriver === 'passthrough') {
    conflict('--tty with --detach has no use for --log-driver=passthrough', 'leave out --tty');
  }
  if (request.groups.includes('keep-groups') && request.groups.length > 1) {
    conflict('--group-add keep-groups cannot be combined with other groups', 'leave the other groups out');
  }
  if (request.resources.memorySwap !== undefined && request.resources.memorySwap > 0) {
    if (request.resources.memory === undefined) conflict('--memory-swap needs --memory', 'give both');
    else if (request.resources.memorySwap < request.resources.memory) {
      conflict('--memory-swap is memory and swap together and cannot be below --memory', 'raise it');
    }
  }
  if (request.shmSize !== undefined && request.ipc === 'host') {
    conflict('--shm-size has no effect with --ipc host', 'leave one of the two out');
  }
}
