import { flag, hosted, integer, list, text } from './rows.ts';
import type { OptionRow, VerbRow } from './types.ts';

const AUTHFILE = text('authfile', 'FILE', 'registry credentials');
const CERT_DIR = text('cert-dir', 'DIR', 'certificates of the registry');
const TLS_VERIFY = flag('tls-verify', 'verify the registry (default true)');
const COMPAT: OptionRow = text('compat-auth-file', 'FILE', 'credentials in the form of Docker', {
  refused: 'use --authfile FILE, which keeps what else is in the file',
});

export const LOGIN: VerbRow = hosted(
  'login',
  '[REGISTRY]',
  'keep credentials for a registry',
  [
    AUTHFILE,
    CERT_DIR,
    COMPAT,
    flag('get-login', 'print the user name that is kept'),
    text('password', 'PASSWORD', 'the password', {
      short: 'p',
      refused: 'others can read it in the list of processes; use --password-stdin, or wait to be asked',
    }),
    flag('password-stdin', 'read the password from standard input'),
    text('secret', 'NAME', 'take the password from a secret', { refused: 'use --password-stdin <FILE' }),
    TLS_VERIFY,
    text('username', 'USER', 'the user name', { short: 'u' }),
    flag('verbose', 'say where the credentials are kept', { short: 'v' }),
  ],
  { most: 1 },
);

export const LOGOUT: VerbRow = hosted(
  'logout',
  '[REGISTRY]',
  'forget credentials for a registry',
  [flag('all', 'for all registries', { short: 'a' }), AUTHFILE, COMPAT],
  { most: 1 },
);

export const SEARCH: VerbRow = hosted(
  'search',
  '[REGISTRY/]TERM',
  'search a registry for images',
  [
    AUTHFILE,
    CERT_DIR,
    text('creds', 'USER[:PASSWORD]', 'credentials; asks for a missing password'),
    list('filter', 'NAME=VALUE', 'stars=N, is-official=true|false or is-automated=true|false', { short: 'f' }),
    text('format', 'FORMAT', 'json, or a template'),
    integer('limit', 'N', 'at most so many (default 25)'),
    flag('list-tags', 'the tags of a repository'),
    flag('no-trunc', 'do not shorten'),
    TLS_VERIFY,
  ],
  { least: 1, most: 1 },
);
