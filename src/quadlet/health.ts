import type { Draft, Unit } from './model.ts';
import { readScalar } from './read.ts';
import { defaultService } from './service.ts';

/** The payload that is not well is stopped by its relay; that it comes back is systemd's. */
export function healthRestart(unit: Unit, oneshot: boolean, draft: Draft): void {
  if (!oneshot && readScalar(unit, 'HealthOnFailure') === 'restart') defaultService(unit, draft, 'Restart', 'always');
}
