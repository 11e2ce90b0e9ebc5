import type { Host } from '../host/host.ts';
import type { Container } from './containers.ts';
import type { Context } from './context.ts';
import { isOwnUnit } from './ending.ts';
import { tellEvent } from './event.ts';
import { exitOfUnit } from './exit-record.ts';

/**
 * In ExecStop= and ExecStopPost= of the container's own unit: the journal gets its end, once, by whoever removes or keeps what is left. A payload
 * that we stopped ourselves has an end whose status nobody has told us.
 */
export function tellEndOf(host: Host, context: Context, { state }: Container): void {
  if (state === undefined || !context.inUnit || !isOwnUnit(context, state)) return;
  const { status } = exitOfUnit(host);
  const { name, id, image, unit, manager } = state;
  // The journal does not always see the unit of a process that ends at once.
  const ours = manager === 'user' ? { USER_UNIT: unit } : { UNIT: unit };
  const fields = { ...ours, BERTH_TYPE: 'container', BERTH_NAME: name, BERTH_ID: id, BERTH_IMAGE: image };
  const more = status === undefined ? '' : ` with status ${status}`;
  tellEvent(host, 'died', `container ${name} ended${more}`, {
    ...fields,
    BERTH_EXIT_STATUS: status === undefined ? '' : String(status),
  });
}
