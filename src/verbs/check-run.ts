import { problem, type Problem } from '../base/problem.ts';
import type { OptionUse } from '../command/types.ts';
import { parseWishes } from '../network/placement.ts';
import { capabilityName } from '../plan/capabilities.ts';
import { bad, type Reader } from '../plan/draft.ts';
import { logPlan } from '../plan/log-file.ts';
import { sysctlNamespace } from '../plan/namespaces.ts';
import { hasHandler } from '../plan/parse-options.ts';
import { cut } from '../plan/parse-values.ts';
import type { RunRequest } from '../plan/request.ts';
import { parseRunRequest } from '../plan/request-parse.ts';
import { checkInfra, parseExitPolicy, parseShare, POD_OWN } from '../run/pods.ts';
import { judgeImage, noted, ofUse, thrown, type Judge } from './check-judge.ts';
import { labelsOf } from './labels.ts';

/** A file of variables may come with the host that the unit is for. */
const FILES = ['env-file', 'label-file'];

/** `run` of a container. */
export const judgeRun: Judge = ({ command, known, reader }) => {
  const [image = ''] = command.operands;
  const isRootfs = command.options.some(use => use.name === 'rootfs');
  const uses = known.filter(use => !FILES.includes(use.name));
  const others = new Set(['name', ...FILES]);
  const isWhole = command.options.every(use => uses.includes(use) || others.has(use.name));
  return [...ofUses(uses, reader, isWhole), ...(isRootfs ? [] : judgeImage(image))];
};

/** `pod create`: options of its own, and those of `run` for its holder (pod.ts). */
export const judgePod: Judge = ({ command, known, reader }) => {
  const own = [...POD_OWN, ...FILES];
  const uses = known.filter(use => !own.includes(use.name));
  const isWhole = command.options.every(use => uses.includes(use) || own.includes(use.name));
  const joined = uses.filter(use => use.name === 'network' && /^(container|ns):/.test(use.value));
  return [
    ...thrown(known, left => {
      for (const { name, value } of left) {
        if (name === 'infra') checkInfra(value);
        if (name === 'exit-policy') parseExitPolicy(value);
        if (name === 'share') parseShare(value);
      }
      labelsOf({ ...command, options: left });
    }),
    ...ofUses(uses, reader, isWhole),
    ...joined.flatMap(use => noted(use.name, use.value, 'it is for containers, not for pods')),
  ];
};

/** Options that `build` and `kube play` share with `run`. */
export const judgeShared: Judge = ({ known, reader }) =>
  known.filter(use => hasHandler(use.name) && use.name !== 'secret').flatMap(use => ofOne(use, reader));

/** Each option alone, and what they say together when all of them are known. */
function ofUses(uses: readonly OptionUse[], reader: Reader, isWhole: boolean): Problem[] {
  const found = uses.flatMap(use => ofOne(use, reader));
  if (!isWhole) return found;
  const options = [...uses, { name: 'rootfs', value: 'true' }];
  const all = parseRunRequest({ globals: [], verb: 'run', options, operands: ['/'] }, reader, 'name');
  const together = all.isErr() ? all.error.filter(p => p.code !== 'operand-value') : ofRequest(all.value);
  return [...found, ...together.filter(p => !found.some(one => one.message === p.message))];
}

function ofOne(use: OptionUse, reader: Reader): Problem[] {
  const { name, value } = use;
  const problems = ofUse(use, reader, draft => {
    // The start looks these up when it knows the container's user.
    for (const word of [...draft.request.capAdd, ...draft.request.capDrop])
      if (capabilityName(word) === undefined) bad(draft, name, value, `there is no capability ${word}`);
    for (const key of Object.keys(draft.request.sysctls))
      if (sysctlNamespace(key, true) === undefined)
        bad(draft, name, value, 'no namespace holds this parameter', 'set it on the host, by sysctl.d(5)');
  });
  return problems.length === 0 && name === 'network' ? networkFault(value) : problems;
}

/** Of a network that gives addresses, its options; other modes have none, but pasta those of its own. */
function networkFault(value: string): Problem[] {
  const [mode, options] = cut(value, ':');
  if (options === undefined || ['container', 'ns', 'pasta'].includes(mode)) return [];
  if (mode === 'none' || mode === 'host')
    return noted('network', value, `${mode} takes no options`, `write --network ${mode}`);
  const wishes = parseWishes(options);
  return wishes.isErr()
    ? [{ ...wishes.error, key: '--network', message: `--network ${value}: ${afterColon(wishes.error.message)}` }]
    : [];
}

const afterColon = (text: string): string => text.slice(text.indexOf(': ') + 2);

function ofRequest(request: RunRequest): Problem[] {
  const log = logPlan(request);
  const problems: Problem[] =
    typeof log === 'string'
      ? [problem('option-value', log, { key: '--log-opt' })]
      : log.warnings.map(text => ({
          ...problem('left-out', text, { key: '--log-opt' }),
          severity: 'warning' as const,
        }));
  for (const { option, text } of request.leftOut)
    problems.push({ ...problem('left-out', text, { key: `--${option}` }), severity: 'warning' });
  if (request.networks[0]?.split(':')[0] !== 'host') return problems;
  const foreign = Object.keys(request.sysctls).filter(key => sysctlNamespace(key, true) === 'network');
  const what = 'the container has no network namespace of its own';
  return [...problems, ...foreign.flatMap(key => noted('sysctl', key, what))];
}
