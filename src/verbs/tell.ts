import { eventText, type EventName } from '../base/events.ts';
import { encodeText } from '../base/text.ts';
import { HostError, type Host } from '../host/host.ts';
import type { ContainerState } from '../run/state.ts';

/** As `tell`, of a container. */
export function tellOf(host: Host, event: EventName, state: ContainerState, message: string, more: Fields = {}): void {
  const { name, id, image } = state;
  const fields = { BERTH_TYPE: 'container', BERTH_NAME: name, BERTH_ID: id, BERTH_IMAGE: image };
  tell(host, event, `container ${name} ${message}`, { ...fields, ...more });
}

type Fields = Readonly<Record<string, string>>;

/**
 * An entry of ours in the journal, from Node, which has no datagram sockets: by logger(1), whose input is the native protocol's lines.
 * Where there is no journal, nothing: an event is news, never a reason to fail.
 */
export function tell(host: Host, event: EventName, message: string, fields: Fields): void {
  const input = encodeText(eventText(event, message, { SYSLOG_IDENTIFIER: 'berth', ...fields }));
  try {
    host.run({ argv: ['logger', '--journald'], input, stdout: 'capture', stderr: 'capture', timeout: 5000 });
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}
