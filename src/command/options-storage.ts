import { flag, integer, list, native, text } from './rows.ts';
import type { OptionRow, VerbRow } from './types.ts';

const FORMAT = text('format', 'FORMAT', 'json, or a template');
const FILTER = list('filter', 'NAME=VALUE', 'only those that match', { short: 'f' });
const NO_HEADING = flag('noheading', 'no heading', { short: 'n' });
const VOLUME = { program: 'volume' } as const;
const SECRET = { program: 'secret' } as const;

export const VOLUME_CREATE: VerbRow = native(
  'volume create',
  '[NAME]',
  'make a volume',
  [
    text('driver', 'DRIVER', 'local or image', { short: 'd' }),
    flag('ignore', 'a volume that is there is no error'),
    list('label', 'NAME=VALUE', 'set a label', { short: 'l' }),
    list('opt', 'NAME[=VALUE]', 'option of the driver: type, device, o, copy, nocopy; image', { short: 'o' }),
    integer('uid', 'UID', 'owner, as containers see it'),
    integer('gid', 'GID', 'group, as containers see it'),
  ],
  { most: 1, ...VOLUME },
);
const FORCE: OptionRow = flag('force', 'remove the containers that use it as well', { short: 'f' });

export const VOLUME_VERBS: readonly VerbRow[] = [
  VOLUME_CREATE,
  native('volume exists', 'VOLUME', 'tell by the exit status whether there is a volume', [], {
    least: 1,
    most: 1,
    ...VOLUME,
  }),
  native(
    'volume export',
    'VOLUME',
    'write what is in a volume as a tar archive',
    [text('output', 'FILE', 'where to (default: standard output)', { short: 'o' })],
    { least: 1, most: 1, ...VOLUME },
  ),
  native('volume import', 'VOLUME FILE|-', 'unpack a tar archive into a volume', [], { least: 2, most: 2, ...VOLUME }),
  native(
    'volume inspect',
    'VOLUME...',
    'show all that is known of volumes',
    [flag('all', 'all volumes', { short: 'a' }), text('format', 'FORMAT', 'json, or a template', { short: 'f' })],
    VOLUME,
  ),
  native('volume ls', '', 'list volumes', [FILTER, FORMAT, NO_HEADING, flag('quiet', 'only names', { short: 'q' })], {
    most: 0,
    ...VOLUME,
  }),
  native('volume mount', 'VOLUME...', 'mount volumes and print where', [], { least: 1, ...VOLUME }),
  native(
    'volume prune',
    '',
    'remove the volumes that no container uses',
    [
      list('filter', 'NAME=VALUE', 'only those that match'),
      flag('all', 'named ones, too', { short: 'a' }),
      flag('force', 'do not ask', { short: 'f' }),
    ],
    { most: 0, ...VOLUME },
  ),
  native(
    'volume rm',
    'VOLUME...',
    'remove volumes',
    [
      flag('all', 'all volumes', { short: 'a' }),
      FORCE,
      integer('time', 'SECONDS', 'time between stop signal and kill', { short: 't' }),
    ],
    VOLUME,
  ),
  native('volume unmount', 'VOLUME...', 'take away what `volume mount` mounted', [], { least: 1, ...VOLUME }),
];

const IGNORE = flag('ignore', 'a missing secret is no error', { short: 'i' });

export const SECRET_VERBS: readonly VerbRow[] = [
  native(
    'secret create',
    'NAME FILE|-',
    'make a secret of a file, or of standard input',
    [
      text('driver', 'DRIVER', 'file', { short: 'd' }),
      list('driver-opts', 'NAME=VALUE', 'option of the driver', { refused: 'secrets are files of the store' }),
      flag('env', 'FILE is the name of a variable', {}),
      flag('ignore', 'a secret that is there is no error'),
      list('label', 'NAME=VALUE', 'set a label', { short: 'l' }),
      flag('replace', 'replace a secret of this name'),
    ],
    { least: 2, most: 2, ...SECRET },
  ),
  native('secret exists', 'SECRET', 'tell by the exit status whether there is a secret', [], {
    least: 1,
    most: 1,
    ...SECRET,
  }),
  native(
    'secret inspect',
    'SECRET...',
    'show all that is known of secrets',
    [
      text('format', 'FORMAT', 'json, or a template', { short: 'f' }),
      flag('pretty', 'for people'),
      flag('showsecret', 'the secret itself as well'),
    ],
    { least: 1, ...SECRET },
  ),
  native('secret ls', '', 'list secrets', [FILTER, FORMAT, NO_HEADING, flag('quiet', 'only ids', { short: 'q' })], {
    most: 0,
    ...SECRET,
  }),
  native('secret rm', 'SECRET...', 'remove secrets', [flag('all', 'all secrets', { short: 'a' }), IGNORE], SECRET),
];
