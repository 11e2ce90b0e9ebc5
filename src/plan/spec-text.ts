import type { Plan } from './types.ts';

/**
 * config.json of a plan. `profile`: the default seccomp profile as JSON text; it takes the place of the stand-in when the plan uses the
 * built-in program, so that any OCI runtime can take the file. It is spliced in as text: a start does not parse it.
 */
export function specText(plan: Pick<Plan, 'spec' | 'defaultSeccomp'>, profile: string | undefined): string {
  const { spec } = plan;
  let text = JSON.stringify(spec);
  if (plan.defaultSeccomp && profile !== undefined) {
    const standIn = `"seccomp":${JSON.stringify(spec.linux.seccomp)}`;
    const at = text.lastIndexOf(standIn);
    text = `${text.slice(0, at)}"seccomp":${profile}${text.slice(at + standIn.length)}`;
  }
  return withLimits(spec, text);
}

/** No limit is RLIM_INFINITY, 2^64 - 1 (config.md, rlimits): a number that JavaScript cannot hold. */
function withLimits(spec: Plan['spec'], text: string): string {
  const limits = spec.process?.rlimits ?? [];
  if (!limits.some(limit => limit.soft === 'unlimited' || limit.hard === 'unlimited')) return text;
  const piece = `"rlimits":${JSON.stringify(limits)}`;
  return text.replace(piece, () => piece.replaceAll('"unlimited"', '18446744073709551615'));
}
