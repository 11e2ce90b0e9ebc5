/**
 * Our own entries in the journal, each with its MESSAGE_ID (systemd.journal-fields(7)); packaging/catalog/berth.catalog explains them.
 * Fields: BERTH_EVENT (the key here), BERTH_TYPE (`container`, `image`), BERTH_NAME, BERTH_ID, BERTH_IMAGE of a container; BERTH_HEALTH of
 * `health_status` (`healthy`, `unhealthy`); BERTH_EXIT_STATUS of `died`; BERTH_ERROR of `pull-error`. Names of events are Podman's.
 */
export const EVENTS = {
  start: { id: 'fe96800bb44a46cf900442133ebc1db1', priority: 6 },
  died: { id: 'adbda65e843c4b7b96499029789b975d', priority: 6 },
  health_status: { id: 'fc730a7446594675be7dea3ddd5ed1da', priority: 6 },
  pull: { id: 'ec446c2dfef04b119c956e22e36e73e3', priority: 6 },
  'pull-error': { id: '01c89bac9bd44c34875d1053fe507c84', priority: 4 },
  pause: { id: '162a0e21ec5640b581d4df4326112876', priority: 6 },
  unpause: { id: '24c7c8e5b70747c289d57395a17fbb83', priority: 6 },
  rename: { id: '5affcac1955941eb83685ac7026b0a90', priority: 6 },
  commit: { id: '47f86925164c42bbab18d45b52c5d843', priority: 6 },
  update: { id: '570e8964c92d431a92c7930bfff1dbf0', priority: 6 },
} as const;

export type EventName = keyof typeof EVENTS;

/**
 * An entry in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): `FIELD=VALUE` lines, the message last. `fields` come
 * behind the event's own and may replace them.
 */
export function eventText(event: EventName, message: string, fields: Readonly<Record<string, string>>): string {
  const { id, priority } = EVENTS[event];
  const own = { MESSAGE_ID: id, PRIORITY: String(priority), BERTH_EVENT: event };
  return linesOf({ ...own, ...fields, MESSAGE: `berth: ${message}` });
}

/** Control characters, which would begin a field of their own, become `?` (T28); empty values are left out. */
function linesOf(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${value.replace(/[\x00-\x1f\x7f]/g, '?')}\n`)
    .join('');
}
