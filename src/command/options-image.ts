import { RESOURCES } from './options-shared.ts';
import { duration, flag, hosted, integer, list, native, text, words } from './rows.ts';
import type { OptionRow, VerbRow } from './types.ts';

const QUIET = flag('quiet', 'no progress', { short: 'q' });

export const IMPORT: VerbRow = hosted(
  'import',
  'FILE|- [REFERENCE]',
  'make an image of a root file system archive',
  [
    text('arch', 'ARCH', 'architecture of the image'),
    list('change', 'INSTRUCTION', 'CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR', {
      short: 'c',
    }),
    text('message', 'TEXT', 'note in the history', { short: 'm' }),
    text('os', 'OS', 'operating system of the image'),
    QUIET,
    text('variant', 'VARIANT', 'variant of the architecture'),
  ],
  { least: 1, most: 2 },
);

export const LOAD: VerbRow = hosted(
  'load',
  '',
  'load images from an archive',
  [text('input', 'FILE|DIR', 'archive or OCI layout (default: standard input)', { short: 'i' }), QUIET],
  { most: 0 },
);

export const IMAGES: VerbRow = hosted(
  'images',
  '[IMAGE]',
  'list images',
  [
    flag('all', 'accepted; there are no intermediate images', { short: 'a' }),
    flag('digests', 'show digests'),
    list('filter', 'NAME=VALUE', 'only those that match', { short: 'f' }),
    text('format', 'FORMAT', 'json, or a template'),
    flag('history', 'show earlier names', { refused: 'earlier names are not kept' }),
    flag('no-trunc', 'do not shorten'),
    flag('noheading', 'no heading', { short: 'n' }),
    flag('quiet', 'only ids', { short: 'q' }),
    text('sort', 'FIELD', 'order by created, id, repository, size or tag'),
    flag('tree', 'layers, each below the one it lies on, and the images that end there'),
  ],
  { most: 1 },
);

export const RMI: VerbRow = hosted('rmi', 'IMAGE...', 'remove images', [
  flag('all', 'all images', { short: 'a' }),
  flag('force', 'remove all names of it', { short: 'f' }),
  flag('ignore', 'a missing image is no error', { short: 'i' }),
  flag('no-prune', 'accepted for compatibility; has no effect'),
]);

export const IMAGE_PRUNE: VerbRow = hosted(
  'image prune',
  '',
  'remove images that nobody needs',
  [
    flag('all', 'those with names, too, when neither a container nor a unit has them', { short: 'a' }),
    text(
      'budget',
      'SIZE',
      'then remove the oldest that no container and no unit has, until the layers of the rest take no more of the disk than that; 0: no limit',
    ),
    flag('build-cache', 'accepted for compatibility; has no effect'),
    flag('external', 'accepted for compatibility; has no effect'),
    list('filter', 'NAME=VALUE', 'only those that match: until, label, id, ...'),
    flag('force', 'do not ask', { short: 'f' }),
  ],
  { most: 0 },
);

export const IMAGE_INSPECT: VerbRow = hosted(
  'image inspect',
  'IMAGE...',
  'show what is known of images',
  [text('format', 'FORMAT', 'json, or a template', { short: 'f' })],
  { least: 1 },
);

export const SAVE: VerbRow = hosted(
  'save',
  'IMAGE...',
  'write images to an archive',
  [
    flag('compress', 'accepted; layers of a layout are compressed'),
    text('format', 'FORMAT', 'docker-archive (default), oci-archive or oci-dir'),
    flag('multi-image-archive', 'accepted; an archive may hold several', { short: 'm' }),
    text('output', 'FILE|DIR', 'where to (default: standard output)', { short: 'o' }),
    QUIET,
    flag('uncompressed', 'leave the layers of a layout as they are'),
  ],
  { least: 1 },
);

export const HISTORY: VerbRow = hosted(
  'history',
  'IMAGE',
  'show how an image was made',
  [
    text('format', 'FORMAT', 'json, or a template'),
    flag('human', 'sizes and times for people (default true)', { short: 'H' }),
    flag('no-trunc', 'do not shorten'),
    flag('quiet', 'only ids', { short: 'q' }),
  ],
  { least: 1, most: 1 },
);

export const SYSTEM_DF: VerbRow = hosted(
  'system df',
  '',
  'show what the store holds',
  [text('format', 'FORMAT', 'json, or a template'), flag('verbose', 'each image, with what it shares', { short: 'v' })],
  { most: 0 },
);

export const SYSTEM_CHECK: VerbRow = hosted(
  'system check',
  '',
  'compare the store with its digests',
  [
    flag('quick', 'look only whether all is there', { short: 'q' }),
    flag('repair', 'fetch again, by digest, what is broken', { short: 'r' }),
  ],
  { most: 0 },
);

export const IMAGE_EXISTS: VerbRow = hosted(
  'image exists',
  'IMAGE',
  'whether the image is here: exit status 0 or 1',
  [],
  { least: 1, most: 1 },
);

export const TAG: VerbRow = hosted('tag', 'IMAGE NAME...', 'give an image further names', [], { least: 2 });

export const UNTAG: VerbRow = hosted(
  'untag',
  'IMAGE [NAME...]',
  'take names of an image away, all when none is given; the image stays',
  [],
  { least: 1 },
);

const FETCH: readonly OptionRow[] = [
  text('authfile', 'FILE', 'registry credentials'),
  text('cert-dir', 'DIR', 'certificates of the registry'),
  text('creds', 'USER[:PASSWORD]', 'credentials; asks for a missing password'),
  text('decryption-key', 'KEY', 'key of an encrypted image', {
    refused: 'encrypted images are not in this version of Berth',
  }),
  integer('retry', 'N', 'how often it is tried again'),
  duration('retry-delay', 'TIME', 'time between these'),
  flag('tls-verify', 'verify the registry (default true)'),
  QUIET,
];

const PULL_OPTIONS: readonly OptionRow[] = [
  flag('all-tags', 'all tags of the repository', { short: 'a' }),
  text('arch', 'ARCH', 'architecture of the image'),
  text('os', 'OS', 'operating system of the image'),
  text('variant', 'VARIANT', 'variant of the architecture'),
  text('platform', 'OS/ARCH[/VARIANT]', 'platform of the image'),
  text('policy', 'POLICY', 'always (default), missing, never or newer'),
  text('format', 'FORMAT', 'json; progress: how far it is, one line a second, for programs'),
  ...FETCH,
];

export const PULL: VerbRow = native('pull', 'IMAGE...', 'fetch images from a registry', PULL_OPTIONS, { least: 1 });
export const IMAGE_PULL: VerbRow = { ...PULL, name: 'image pull', program: 'pull' };
export const ARTIFACT_PULL: VerbRow = hosted('artifact pull', 'ARTIFACT', 'fetch an artifact from a registry', FETCH, {
  least: 1,
  most: 1,
});

export const PUSH: VerbRow = hosted(
  'push',
  'IMAGE [DESTINATION]',
  'send an image to a registry',
  [
    ...FETCH.filter(row => row.name !== 'decryption-key'),
    text('digestfile', 'FILE', 'write the digest that the image has there'),
    flag('remove-signatures', 'accepted; signatures are not sent'),
  ],
  { least: 1, most: 2 },
);

/** What `.build` units become; the builder of the distribution does the work. */
export const BUILD: VerbRow = hosted(
  'build',
  '[CONTEXT]',
  'build an image',
  [
    text('pull', 'POLICY', 'always, missing, never or newer', { alone: 'missing' }),
    text('arch', 'ARCH', 'architecture of the image'),
    text('variant', 'VARIANT', 'variant of the architecture'),
    text('target', 'STAGE', 'stage to build'),
    text('file', 'FILE', 'the Containerfile', { short: 'f' }),
    text('ignorefile', 'FILE', 'what is left out of the context'),
    list('tag', 'NAME', 'name of the image', { short: 't' }),
    flag('force-rm', 'remove intermediate containers'),
    list('annotation', 'NAME=VALUE', 'set an annotation'),
    list('build-arg', 'NAME=VALUE', 'argument of the build'),
    list('env', 'NAME=VALUE', 'set an environment variable'),
    list('label', 'NAME=VALUE', 'set a label'),
    words('dns', 'ADDRESS', 'name server'),
    words('dns-option', 'OPTION', 'option of resolv.conf'),
    words('dns-search', 'DOMAIN', 'search domain'),
    words('group-add', 'GROUP', 'add a supplementary group'),
    list('network', 'MODE', 'network of the build'),
    list('secret', 'SECRET', 'secret of the build'),
    list('volume', '[SOURCE:]TARGET[:OPTIONS]', 'mount a directory', { short: 'v' }),
    ...FETCH.filter(row => row.name !== 'decryption-key'),
    ...RESOURCES.filter(row => row.name === 'memory'),
  ],
  { most: 1 },
);
