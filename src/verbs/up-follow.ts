import type { Plan, Step } from './up-plan.ts';

/** systemd restarts what requires a unit, or is part of it, together with it: that is said, and waited for. */
export function withFollowers(plans: readonly Plan[]): Plan[] {
  const restarted = new Set(plans.flatMap(({ steps }) => steps.filter(isRestart).map(step => step.unit)));
  const reasons = new Map<string, string>();
  for (let grown = restarted.size > 0; grown;) {
    grown = false;
    for (const { unit, action, follows } of plans.flatMap(plan => plan.steps)) {
      const cause = action !== 'nothing' || restarted.has(unit) ? undefined : follows.find(one => restarted.has(one));
      if (cause === undefined) continue;
      restarted.add(unit);
      reasons.set(unit, `with ${cause}`);
      grown = true;
    }
  }
  const changed = (step: Step): Step => {
    const reason = reasons.get(step.unit);
    return reason === undefined ? step : { ...step, action: 'restart', reason };
  };
  return plans.map(plan => ({ ...plan, steps: plan.steps.map(changed) }));
}

function isRestart({ action }: Step): boolean {
  return action === 'restart';
}
