import { flag, hosted, list, native, text } from './rows.ts';
import type { VerbRow } from './types.ts';

const TEXT_FORMAT = text('format', 'FORMAT', 'text, json or sarif', { short: 'f' });
const RELOAD = flag('reload-systemd', 'reload systemd afterwards (default true)');

export const CHECK: VerbRow = hosted('check', '[FILE|DIR...]', 'find what is wrong in unit files', [
  TEXT_FORMAT,
  flag('user', 'as a user manager reads them (default: by the place, otherwise unless root asks)'),
  text('explain', 'KEY', 'print what is known of a key'),
  text('podman', 'VERSION', 'warn of keys that this version of Podman does not have yet'),
]);

export const GRAPH: VerbRow = hosted('graph', '[FILE|DIR...]', 'draw units and what they depend on', [
  text('format', 'FORMAT', 'text (default), dot, svg or json'),
  flag('all', 'with what every unit waits for, such as the network', { short: 'a' }),
  flag('user', 'as a user manager reads them (default: by the place, otherwise unless root asks)'),
]);

export const QUADLET_PRINT: VerbRow = hosted('quadlet print', 'UNIT', 'print a unit file', [], { least: 1, most: 1 });
export const QUADLET_LIST: VerbRow = hosted(
  'quadlet list',
  '',
  'list unit files',
  [
    list('filter', 'NAME=VALUE', 'only those that match', { short: 'f' }),
    text('format', 'FORMAT', 'json, or a template'),
    flag('noheading', 'no heading', { short: 'n' }),
  ],
  { most: 0 },
);
export const QUADLET_INSTALL: VerbRow = hosted(
  'quadlet install',
  'PATH|URL [FILE...]',
  'install unit files',
  [
    flag('force', 'install files with mistakes, too'),
    flag('replace', 'replace files of the same name', { short: 'r' }),
    RELOAD,
  ],
  { least: 1 },
);
export const QUADLET_RM: VerbRow = hosted('quadlet rm', 'UNIT...', 'remove unit files', [
  flag('all', 'all of them', { short: 'a' }),
  flag('force', 'stop the service first', { short: 'f' }),
  flag('ignore', 'a missing unit is no error', { short: 'i' }),
  RELOAD,
]);

export const SYSTEM_TAKEOVER: VerbRow = hosted(
  'system takeover',
  '',
  "hand the unit files of the peer's generator to Berth",
  [flag('undo', 'give them back'), flag('reload-systemd', 'reload systemd afterwards (default true)')],
  { most: 0 },
);

export const SYSTEM_MIGRATE: VerbRow = hosted(
  'system migrate',
  '--from podman',
  "bring Podman's images and named volumes over",
  [
    flag('dry-run', 'say only what would come over'),
    text('from', 'PROGRAM', 'whose store it is: podman'),
    flag('images', 'only images'),
    text('store', 'DIR', "the store (default: the account's own, as storage.conf says)"),
    flag('volumes', 'only named volumes'),
  ],
  { most: 0 },
);

/** Its half in the user namespace. */
export const SYSTEM_MIGRATE_LAYER: VerbRow = hosted(
  'system migrate-layer',
  'SPLIT TREE',
  'write a layer of Podman as a tar stream',
  [],
  { least: 2, most: 2, hidden: true },
);

export const SYSTEM_DOCTOR: VerbRow = hosted(
  'system doctor',
  '',
  'find what containers lack on this host, and what mends it',
  [text('for', 'ACCOUNT', 'for containers of this account, as root'), text('format', 'FORMAT', 'json')],
  { most: 0 },
);

export const SYSTEM_PRUNE: VerbRow = hosted(
  'system prune',
  '',
  'remove the pods, containers, networks and images that nothing uses',
  [
    flag('all', 'also images with names, when neither a container nor a unit has them', { short: 'a' }),
    flag('force', 'do not ask; needed, since nothing asks', { short: 'f' }),
    flag('volumes', 'also the volumes that no container uses'),
  ],
  { most: 0 },
);

/** What the network unit of user managers runs. */
export const SYSTEM_WAIT: VerbRow = native('system wait', '', 'wait for the network of the system', [], {
  hidden: true,
  most: 0,
});

/** The generator's own grammar, flags with one dash, is in generator/flags.ts; this row is for help. */
export const GENERATOR: VerbRow = native(
  'generator',
  '[FLAGS] DIR [EARLY LATE]',
  'translate unit files, as systemd calls it',
  [],
  {
    stopAtOperand: true,
    hidden: true,
  },
);

export const ACCOUNT: VerbRow = native(
  'account',
  'prepare ACCOUNT',
  'make the directories of an account, as root',
  [text('image', 'REFERENCE', "hand this image of root's store over")],
  { least: 2, most: 2 },
);

export const LAYER: VerbRow = native('layer', '', 'apply one layer of an image', [], {
  hidden: true,
  stopAtOperand: true,
});

export const HELP: VerbRow = native('help', '[VERB|keys|KEY]', 'print help', []);
