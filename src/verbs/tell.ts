import { eventText, type EventName } from '../base/events.ts';
import { encodeText } from '../base/text.ts';
import { HostError, type Host } from '../host/host.ts';

/**
 * An entry of ours in the journal, from Node, which has no datagram sockets: by logger(1), whose input is the native protocol's lines.
 * Where there is no journal, nothing: an event is news, never a reason to fail.
 */
export function tell(host: Host, event: EventName, message: string, fields: Readonly<Record<string, string>>): void {
  const input = encodeText(eventText(event, message, { SYSLOG_IDENTIFIER: 'berth', ...fields }));
  try {
    host.run({ argv: ['logger', '--journald'], input, stdout: 'capture', stderr: 'capture', timeout: 5000 });
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}
