import { nearest } from '../base/suggest.ts';
import type { Bytes } from '../host/host.ts';
import { readCheckCommand, readConnection } from '../plan/health.ts';
import { readSignal } from '../plan/parse-values.ts';
import type { Unit } from '../quadlet/model.ts';
import { lastItem } from '../quadlet/read.ts';
import { judgeImage } from './check-judge.ts';

/** What is wrong with a value, behind `KEY=VALUE`. `refused`: the start would end there; otherwise it would go on, and not as it was meant. */
export interface Told {
  readonly what: string;
  readonly hint?: string;
  readonly refused?: boolean;
}

export type Rule = (value: Bytes, unit: Unit) => Told | undefined;

const near =
  (words: readonly string[], what: string): Rule =>
  value => {
    const meant = words.includes(value) ? undefined : nearest(value, words);
    return meant === undefined ? undefined : { what, hint: `did you mean ${meant}?` };
  };

const oneOf =
  (...words: string[]): Rule =>
  value =>
    words.includes(value) ? undefined : { what: 'there is no such word', hint: `write ${words.join(', ')}` };

/** resolv.conf(5), options. */
const RESOLVER =
  /^(debug|rotate|no-aaaa|no-check-names|inet6|ip6-bytestring|ip6-dotint|no-ip6-dotint|edns0|single-request|single-request-reopen|no-tld-query|use-vc|no-reload|trust-ad|(ndots|timeout|attempts):[0-9]+)$/;

const dnsOption: Rule = value =>
  RESOLVER.test(value)
    ? undefined
    : {
        what: 'resolvers pass over options that they do not know',
        hint: 'write one of resolv.conf(5), such as ndots:2',
      };

const dnsDomain: Rule = value =>
  value === '.' || /^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(value)
    ? undefined
    : { what: 'not the name of a domain' };

/** `GOARCH`, as images name it (OCI image specification), and what is taken for it. */
const ARCHITECTURES =
  'amd64 arm64 arm 386 ppc64le ppc64 s390x riscv64 loong64 mips64le mips64 mipsle mips x86_64 aarch64'.split(' ');

const signal: Rule = value =>
  readSignal(value) === undefined
    ? { what: 'there is no such signal', hint: 'write a signal such as SIGHUP or 1', refused: true }
    : undefined;

const jsonWords: Rule = value =>
  value.startsWith('[') && !isJson(value)
    ? {
        what: 'begins like a JSON list, but is none: the whole value would be one word',
        hint: 'write ["word", "word"]',
      }
    : undefined;

const entrypoint: Rule = (value, unit) =>
  jsonWords(value, unit) ??
  (!value.startsWith('[') && /\s/.test(value)
    ? { what: 'all of it would be the name of one program', hint: 'write a JSON list: ["word", "word"]' }
    : undefined);

/** `[ -f x ]` is a command of the shell; `["x"` is meant as a list. */
const healthCommand: Rule = (value, unit) => {
  if (/^\[\s*["\]]/.test(value)) return jsonWords(value, unit);
  if (!/^(port|http|https|unix):\S*$/.test(value) || readConnection(value) !== undefined) return undefined;
  const isCommand = readCheckCommand(value) !== undefined;
  return {
    what: isCommand ? 'would be run as a command' : 'no check',
    hint: 'write port:N, http:N/PATH or unix:/PATH',
  };
};

function isJson(value: Bytes): boolean {
  try {
    const read: unknown = JSON.parse(value);
    return Array.isArray(read) && read.every(word => typeof word === 'string');
  } catch {
    return false;
  }
}

const serviceName: Rule = value =>
  value.endsWith('.service')
    ? { what: `the service would be ${value}.service`, hint: `write ${value.slice(0, -'.service'.length)}` }
    : undefined;

/** container_selinux(8) */
const SELINUX =
  'spc_t container_t container_init_t container_kvm_t container_engine_t container_file_t container_ro_file_t'.split(
    ' ',
  );

const selinuxWord: Rule = (value, unit) =>
  /^[A-Za-z0-9_.-]+$/.test(value)
    ? near(SELINUX, 'a type of this name is wanted')(value, unit)
    : { what: 'not the name of an SELinux type', hint: 'write one word' };

const selinuxLevel: Rule = value =>
  /^s\d+(-s\d+)?(:c\d+([.,]c\d+)*)?(-s\d+(:c\d+([.,]c\d+)*)?)?$/.test(value)
    ? undefined
    : { what: 'not a level of SELinux', hint: 'write a level such as s0:c1,c2' };

/** What is no path is looked for below the directory that the start runs in. */
const seccompProfile: Rule = value =>
  value === 'unconfined' || value.startsWith('/')
    ? undefined
    : { what: 'neither unconfined nor an absolute path', hint: 'write one of them', refused: true };

const appArmor: Rule = (value, unit) =>
  /\s/.test(value)
    ? { what: 'no name of a profile has blanks' }
    : near(['unconfined'], 'a profile of this name is wanted')(value, unit);

const credentials: Rule = value =>
  /^[^:]+:.+$/s.test(value) ? undefined : { what: 'the password is missing', hint: 'write USER:PASSWORD' };

/** A name that references to this unit become. */
const imageTag: Rule = value => {
  const [wrong] = judgeImage(value);
  if (wrong === undefined) return undefined;
  return { what: 'not the name of an image', refused: true, ...(wrong.hint === undefined ? {} : { hint: wrong.hint }) };
};

/** mount(8) cannot tell the type of what is no block device. */
const volumeDevice: Rule = (value, unit) => {
  const options = lastItem(unit, 'Options')?.value ?? '';
  if (unit.present.has('Type') || /^\/dev\//.test(value) || /(^|,)r?bind(,|$)/.test(options)) return undefined;
  return { what: 'nothing says what kind of file system it is', hint: 'add Type=, such as bind, tmpfs or nfs' };
};

const FILE_SYSTEMS =
  'bind none tmpfs ramfs ext2 ext3 ext4 xfs btrfs f2fs vfat exfat ntfs3 iso9660 squashfs nfs nfs4 cifs smb3 9p ceph fuse overlay zfs'.split(
    ' ',
  );

/** Without a check of its own, the image's is the only one. */
const needsCheck: Rule = (_, { present }) =>
  present.has('HealthCmd') || (present.get('PodmanArgs') ?? []).some(({ value }) => value.includes('health'))
    ? undefined
    : { what: 'there is no HealthCmd=', hint: 'add it, unless the image has a HEALTHCHECK' };

/** systemd's mark for a file that may be missing; here it is a part of the path. */
const environmentFile: Rule = value =>
  value.startsWith('-')
    ? { what: 'the `-` is a part of the path here', hint: 'take it away: the file has to be there', refused: true }
    : undefined;

/** By `KEY` or by `TYPE.KEY`. */
export const RULES: Readonly<Record<string, Rule>> = {
  ServiceName: serviceName,
  DNSOption: dnsOption,
  DNSSearch: dnsDomain,
  GroupAdd: near(['keep-groups'], 'a group of this name is wanted'),
  ReloadSignal: signal,
  Entrypoint: entrypoint,
  HealthCmd: healthCommand,
  HealthStartupCmd: (value, unit) => healthCommand(value, unit) ?? needsCheck(value, unit),
  HealthOnFailure: needsCheck,
  Notify: (value, unit) => (value.toLowerCase() === 'healthy' ? needsCheck(value, unit) : undefined),
  SecurityLabelType: selinuxWord,
  SecurityLabelFileType: selinuxWord,
  SecurityLabelLevel: selinuxLevel,
  SeccompProfile: seccompProfile,
  AppArmor: appArmor,
  EnvironmentFile: environmentFile,
  Arch: near(ARCHITECTURES, 'there is no such architecture'),
  OS: near(['linux'], 'containers of this host are for linux'),
  Creds: credentials,
  'image.ImageTag': imageTag,
  'volume.Device': volumeDevice,
  'volume.Type': near(FILE_SYSTEMS, 'a file system of this name is wanted'),
  ExitCodePropagation: oneOf('all', 'any', 'none'),
};
