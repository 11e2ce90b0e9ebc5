import { bad, type Draft } from './draft.ts';
import { cleanPath, cut, readBoolean, readDigits, readId, readInteger, readSize } from './parse-values.ts';
import { LIMITS } from './limits.ts';

const OPTIONS = 'use no-new-privileges, seccomp=, apparmor=, label=, mask=, unmask= or proc-opts=';

/** `--security-opt NAME=VALUE`; Docker's `NAME:VALUE` is understood too. */
export function parseSecurity(draft: Draft, text: string): void {
  const { request } = draft;
  const at = text.includes('=') ? text.indexOf('=') : text.indexOf(':');
  const name = at < 0 ? text : text.slice(0, at);
  const value = at < 0 ? '' : text.slice(at + 1);
  if (name === 'no-new-privileges') {
    const on = readBoolean(value);
    if (on === undefined) return bad(draft, 'security-opt', text, `${value} is neither true nor false`);
    request.noNewPrivileges = on;
    return;
  }
  if (at >= 0 && value === '' && name !== 'seccomp')
    return bad(draft, 'security-opt', text, 'the value is empty', OPTIONS);
  switch (at < 0 ? '' : name) {
    case 'seccomp':
      // SeccompProfile= without a value: the default profile.
      if (value === '') delete request.seccomp;
      else request.seccomp = value;
      return;
    case 'apparmor':
      request.apparmor = value;
      return;
    case 'label':
      return parseLabel(draft, text, value);
    case 'mask':
      return parsePaths(draft, text, value, request.mask);
    case 'unmask':
      if (value.toLowerCase() === 'all') request.unmask.push('ALL');
      else parsePaths(draft, text, value, request.unmask);
      return;
    case 'proc-opts':
      request.procOptions.push(...value.split(','));
      return;
    default:
      return bad(draft, 'security-opt', text, 'there is no such option', OPTIONS);
  }
}

function parsePaths(draft: Draft, text: string, value: string, into: string[]): void {
  for (const path of value.split(':')) {
    const clean = cleanPath(path);
    if (clean === undefined || clean === '/') {
      return bad(draft, 'security-opt', text, `${path} is not an absolute path below /`);
    }
    into.push(clean);
  }
}

function parseLabel(draft: Draft, text: string, value: string): void {
  const { request } = draft;
  const [name, rest] = cut(value, ':');
  if (name === 'disable' && rest === undefined) request.selinux = { ...request.selinux, disable: true };
  else if (name === 'nested' && rest === undefined) request.selinux = { ...request.selinux, nested: true };
  else if (rest === undefined || rest === '')
    bad(draft, 'security-opt', text, 'use label=disable, label=nested or label=type:TYPE');
  else if (name === 'type') request.selinux = { ...request.selinux, type: rest };
  else if (name === 'level') request.selinux = { ...request.selinux, level: rest };
  else if (name === 'filetype') request.selinux = { ...request.selinux, filetype: rest };
  else bad(draft, 'security-opt', text, `Berth takes no SELinux ${name}`, 'use type, level or filetype');
}

/** `--ulimit NAME=SOFT[:HARD]`, `-1` or `unlimited` for no limit, or `host`. */
export function parseUlimit(draft: Draft, text: string): void {
  if (text === 'host') {
    draft.request.ulimits.push({ type: 'host', soft: 0, hard: 0 });
    return;
  }
  const [name, value] = cut(text, '=');
  const type = name.toLowerCase();
  if (!Object.hasOwn(LIMITS, type))
    return bad(draft, 'ulimit', text, `there is no limit ${name}`, `use one of ${Object.keys(LIMITS).join(' ')}`);
  if (value === undefined) return bad(draft, 'ulimit', text, 'write NAME=SOFT[:HARD]');
  const [first, second] = cut(value, ':');
  const soft = readLimit(first);
  const hard = readLimit(second ?? first);
  if (soft === undefined || hard === undefined)
    return bad(draft, 'ulimit', text, 'a limit is a number, -1 or unlimited');
  if (hard !== 'unlimited' && (soft === 'unlimited' || soft > hard)) {
    return bad(draft, 'ulimit', text, 'the soft limit is above the hard limit');
  }
  draft.request.ulimits.push({ type, soft, hard });
}

function readLimit(text: string): number | 'unlimited' | undefined {
  if (text === '-1' || text === 'unlimited' || text === 'infinity') return 'unlimited';
  return readDigits(text, Number.MAX_SAFE_INTEGER);
}

/** `--device [-]HOST[:TARGET][:PERMISSIONS]`. */
export function parseDevice(draft: Draft, text: string): void {
  const optional = text.startsWith('-');
  const parts = (optional ? text.slice(1) : text).split(':');
  const [host = '', second, third] = parts;
  if (!host.startsWith('/') && host.includes('=')) {
    return bad(draft, 'device', text, 'CDI names are not in this version of Berth', 'name the nodes below /dev');
  }
  const path = cleanPath(host);
  if (path === undefined) return bad(draft, 'device', text, `${host} is not an absolute path`);
  const onlyAccess = second !== undefined && third === undefined && isAccess(second);
  const target = second === undefined || onlyAccess ? path : cleanPath(second);
  const access = onlyAccess ? second : (third ?? 'rwm');
  if (target === undefined || target === '/' || parts.length > 3) {
    return bad(draft, 'device', text, 'not understood', 'write HOST[:TARGET][:rwm] with absolute paths');
  }
  if (!isAccess(access)) return bad(draft, 'device', text, `${access} is not made of r, w and m`);
  draft.request.devices.push({ host: path, target, access, ...(optional && { optional }) });
}

function isAccess(text: string): boolean {
  if (text === '') return false;
  for (let i = 0; i < text.length; i++) {
    if (!'rwm'.includes(text.charAt(i)) || text.indexOf(text.charAt(i)) !== i) return false;
  }
  return true;
}

/** `--sysctl NAME=VALUE`; which names are allowed is the plan's question, since it depends on the namespaces. */
export function parseSysctl(draft: Draft, text: string): void {
  const [name, value] = cut(text, '=');
  const key = name.replaceAll('/', '.');
  if (value === undefined || key === '' || key.startsWith('.') || key.includes('..') || /[^a-zA-Z0-9_.@:-]/.test(key)) {
    return bad(draft, 'sysctl', text, 'write NAME=VALUE, e.g. net.core.somaxconn=1024');
  }
  draft.request.sysctls[key] = value;
}

/** A user, a group, or both, as names or ids: numbers are checked here (T13), names when the image is known. */
export function checkUser(draft: Draft, option: string, value: string, text: string): boolean {
  const numeric =
    readInteger(text, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) !== undefined || /^[0-9]+$/.test(text);
  if (numeric && readId(text) === undefined) {
    bad(draft, option, value, `${text} is not an id from 0 to 4294967294`);
    return false;
  }
  if (text === '' || /[\0-\x20:,\x7f]/.test(text)) {
    bad(draft, option, value, text === '' ? 'the name is empty' : `${text} is not a name`);
    return false;
  }
  return true;
}

/** Bytes, or -1 where `-1` means no limit. */
export function readLimitedSize(text: string): number | undefined {
  return text === '-1' ? -1 : readSize(text);
}
