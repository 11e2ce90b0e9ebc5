import { eventText, type EventName } from '../base/events.ts';
import { HostError, type Processes, type Sockets } from '../host/host.ts';
import type { Started } from './finish.ts';

type JournalHost = Pick<Sockets, 'connectUnix' | 'send'> & Pick<Processes, 'close'>;

const SOCKET = '/run/systemd/journal/socket';

/** Writes an entry of ours into the journal; where there is none, nothing: an event is news, never a reason to fail. */
export function tellEvent(
  host: JournalHost,
  event: EventName,
  message: string,
  fields: Readonly<Record<string, string>>,
): void {
  try {
    const fd = host.connectUnix(SOCKET, 'datagram');
    try {
      host.send(fd, eventText(event, message, { SYSLOG_IDENTIFIER: 'berth', ...fields }));
    } finally {
      host.close(fd);
    }
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}

/** What all events of a container have. */
export function containerFields({ place, request }: Started): Readonly<Record<string, string>> {
  return { BERTH_TYPE: 'container', BERTH_NAME: place.name, BERTH_ID: place.id, BERTH_IMAGE: imageOf(request) };
}

export function startMessage({ place, request }: Started): string {
  const image = imageOf(request);
  return `container ${place.name} runs${image === '' ? '' : `, from ${image}`}`;
}

function imageOf(request: Started['request']): string {
  return request.image ?? request.rootfs?.path ?? '';
}

/** The relay's words: it says that the payload runs, and later how well it is, since it stays and the journal can see its unit. */
export function eventWords(started: Started, identifier: string): string[] {
  const fields = { SYSLOG_IDENTIFIER: identifier, ...containerFields(started) };
  const born = `born=${eventText('start', startMessage(started), fields)}`;
  if (started.prepared.health === undefined) return [born];
  // Without its line's end: the relay puts the reason behind the message.
  const word = (health: string, priority: string): string => {
    const more = { ...fields, BERTH_HEALTH: health, PRIORITY: priority };
    return eventText('health_status', `health: ${health}`, more).slice(0, -1);
  };
  return [born, `well=${word('healthy', '6')}`, `unwell=${word('unhealthy', '4')}`];
}
