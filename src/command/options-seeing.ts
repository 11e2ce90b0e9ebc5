import { LATEST, RESOURCES } from './options-shared.ts';
import { flag, hosted, integer, list, text } from './rows.ts';
import type { VerbRow } from './types.ts';

/** Verbs over containers that nobody waits for the milliseconds of. */
const ALL = flag('all', 'all containers', { short: 'a' });
const CIDFILE = list('cidfile', 'FILE', 'the container whose id is in this file');
const FILTER = list('filter', 'NAME=VALUE', 'only those that match', { short: 'f' });

/** See src/verbs/template.ts. */
export const FILL_TEMPLATE: VerbRow = hosted('fill-template', 'TEMPLATE', 'fill a template', [], {
  hidden: true,
  least: 1,
  most: 1,
});

export const STATS: VerbRow = hosted('stats', '[CONTAINER...]', 'show what containers use of the machine', [
  flag('all', 'also those that do not run', { short: 'a' }),
  text('format', 'FORMAT', 'json, or a template'),
  integer('interval', 'SECONDS', 'time between two looks (default 5)', { short: 'i' }),
  LATEST,
  flag('no-reset', 'leave what stands on the terminal'),
  flag('no-stream', 'look once'),
  flag('no-trunc', 'do not shorten'),
]);

export const TOP: VerbRow = hosted('top', 'CONTAINER [FIELD...]', "show a container's processes", [LATEST], {
  least: 1,
  stopAtOperand: true,
});

export const PORT: VerbRow = hosted(
  'port',
  '[CONTAINER] [PORT[/PROTOCOL]]',
  'show published ports',
  [flag('all', 'of all containers', { short: 'a' }), LATEST],
  { most: 2 },
);

export const PAUSE: VerbRow = hosted('pause', '[CONTAINER...]', 'freeze the processes of containers', [
  ALL,
  CIDFILE,
  FILTER,
  LATEST,
]);

export const UNPAUSE: VerbRow = hosted('unpause', '[CONTAINER...]', 'let frozen containers go on', [
  ALL,
  CIDFILE,
  FILTER,
  LATEST,
]);

export const RENAME: VerbRow = hosted('rename', 'CONTAINER NAME', 'give a container another name', [], {
  least: 2,
  most: 2,
});

export const UPDATE: VerbRow = hosted('update', 'CONTAINER', 'change the limits of a running container', RESOURCES, {
  least: 1,
  most: 1,
});

export const CONTAINER_PRUNE: VerbRow = hosted(
  'container prune',
  '',
  'remove containers that do not run',
  [
    list('filter', 'NAME=VALUE', 'only those that match: label=, label!= or until='),
    flag('force', 'do not ask', { short: 'f' }),
  ],
  { most: 0 },
);

export const CONTAINER_EXISTS: VerbRow = hosted(
  'container exists',
  'CONTAINER',
  'whether there is such a container: exit status 0 or 1',
  [flag('external', 'accepted for compatibility; there are none')],
  { least: 1, most: 1 },
);

export const CP: VerbRow = hosted(
  'cp',
  'CONTAINER:PATH|PATH|- CONTAINER:PATH|PATH|-',
  'copy files into containers and out of them',
  [
    flag('archive', "give what is copied to the container's user (default true)", { short: 'a' }),
    flag('overwrite', 'let a directory take the place of a file, and the other way round'),
  ],
  { least: 2, most: 2 },
);

export const EXPORT: VerbRow = hosted(
  'export',
  'CONTAINER',
  "write a container's file system as a tar archive",
  [text('output', 'FILE', 'write to this file instead of standard output', { short: 'o' })],
  { least: 1, most: 1 },
);

export const DIFF: VerbRow = hosted(
  'diff',
  'CONTAINER',
  'show what a container has changed of its image',
  [text('format', 'FORMAT', 'json'), LATEST],
  { least: 1, most: 1 },
);

export const COMMIT: VerbRow = hosted(
  'commit',
  'CONTAINER [IMAGE]',
  'make an image of what a container has changed',
  [
    text('author', 'TEXT', 'author of the image', { short: 'a' }),
    list('change', 'INSTRUCTION', 'CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR', {
      short: 'c',
    }),
    text('config', 'FILE', 'merge a configuration', { refused: 'use --change' }),
    text('format', 'FORMAT', 'oci; docker is accepted, and the same', { short: 'f' }),
    text('iidfile', 'FILE', 'write the id of the image to this file'),
    flag('include-volumes', 'take the volumes along', { refused: 'use `berth volume export`' }),
    text('message', 'TEXT', 'comment of the image', { short: 'm' }),
    flag('pause', 'freeze the container meanwhile', { short: 'p' }),
    flag('quiet', 'print nothing but the id', { short: 'q' }),
    flag('squash', 'one layer alone', { short: 's', refused: 'use `berth export` and `berth import`' }),
  ],
  { least: 1, most: 2 },
);

export const EVENTS: VerbRow = hosted(
  'events',
  '',
  'show what happened to containers and images, and what happens',
  [
    list('filter', 'NAME=VALUE', 'container=, event=, image=, type= or unit=', { short: 'f' }),
    text('format', 'FORMAT', 'json, or a template'),
    flag('no-trunc', 'do not shorten (default true)'),
    text('since', 'TIME', 'only those since'),
    flag('stream', 'wait for more (default true)'),
    text('until', 'TIME', 'only those until; nothing is waited for'),
  ],
  { most: 0 },
);

export const ATTACH: VerbRow = hosted(
  'attach',
  'CONTAINER',
  'follow what a running container writes, until it ends',
  [
    text('detach-keys', 'KEYS', 'key sequence that ends it (default ctrl-p,ctrl-q)'),
    LATEST,
    flag(
      'no-stdin',
      'type nothing into it: a container that was started with --interactive or --tty reads it otherwise',
    ),
    flag('sig-proxy', 'pass signals on to the payload (default true)'),
  ],
  { least: 1, most: 1 },
);

export const SEEING_VERBS: readonly VerbRow[] = [
  CP,
  STATS,
  TOP,
  PORT,
  PAUSE,
  UNPAUSE,
  RENAME,
  UPDATE,
  EVENTS,
  ATTACH,
  DIFF,
  EXPORT,
  COMMIT,
  CONTAINER_PRUNE,
  CONTAINER_EXISTS,
];
