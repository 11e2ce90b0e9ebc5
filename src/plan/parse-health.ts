import { bad, take } from './draft.ts';
import { readCheckCommand, readConnection, readSeconds } from './health.ts';
import type { Apply } from './option-readers.ts';
import { readInteger } from './parse-values.ts';

/** The options `--health-…`: each is checked here and kept as it was written, under its name without `health-`. */
const keep =
  (right: (value: string) => boolean, what: string): Apply =>
  (draft, value, option) => {
    if (!right(value)) return bad(draft, option, value, what);
    draft.request.health = { ...draft.request.health, [option.slice('health-'.length)]: value };
  };

const command = keep(
  value => value !== '' && (readCheckCommand(value) !== undefined || /none/i.test(value)),
  'not a command, a JSON array of words, port:N, http:N/PATH or unix:PATH',
);
const time = (least: number): Apply =>
  keep(value => (readSeconds(value) ?? -1) >= least, `not a time of at least ${least} s, such as 30s`);
const interval = keep(
  value => value === 'disable' || readSeconds(value) !== undefined,
  'not a time such as 30s, nor disable',
);
const count = (least: number): Apply =>
  keep(value => readInteger(value, least, 1e9) !== undefined, `not a whole number of at least ${least}`);

export const HEALTH: Readonly<Record<string, Apply>> = {
  'health-cmd': command,
  'health-interval': interval,
  'health-log-destination': keep(
    value => value === 'local' || value === 'events_logger' || value.startsWith('/'),
    'not an absolute path, local or events_logger',
  ),
  'health-max-log-count': count(0),
  'health-max-log-size': count(0),
  'health-on-failure': keep(
    value => ['none', 'kill', 'restart', 'stop'].includes(value),
    'use none, kill, restart or stop',
  ),
  'health-retries': count(1),
  'health-start-period': time(0),
  'health-startup-cmd': command,
  'health-startup-interval': interval,
  'health-startup-retries': count(0),
  'health-startup-success': count(0),
  'health-startup-timeout': time(1),
  'health-timeout': time(1),
  'no-healthcheck': (draft, value) => {
    if (value === 'true') draft.request.health = { ...draft.request.health, disable: 'true' };
  },
};

const MODES: Readonly<Record<string, 'conmon' | 'container' | 'healthy' | 'ignore'>> = {
  container: 'container',
  conmon: 'conmon',
  healthy: 'healthy',
  ignore: 'ignore',
};

/** `--sdnotify`: a word, or the connection that tells readiness. */
export const parseNotify: Apply = (draft, value, option) => {
  if (readConnection(value) !== undefined) {
    draft.request.sdnotify = 'probe';
    draft.request.readiness = value;
    return;
  }
  const word = value.toLowerCase();
  take(
    draft,
    option,
    value,
    Object.hasOwn(MODES, word) ? MODES[word] : undefined,
    'use container, conmon, healthy, ignore, port:N, http:N/PATH or unix:PATH',
    mode => (draft.request.sdnotify = mode),
  );
};
