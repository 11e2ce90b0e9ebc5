import { splitArguments } from '../unit/values.ts';
import {
  rule,
  each,
  eachOrNot,
  EXPANDS,
  REQUIRED,
  BOOLEAN,
  numberBetween,
  isSpan,
  isBytes,
  isPercent,
  isShare,
  memory,
  orInfinity,
  limit,
  COUNT,
  isCount,
  isPath,
  isBind,
  isCpuList,
  NAME,
  isAssignment,
  UNIT,
  isSystemCall,
  isErrno,
  IP,
  directories,
  type Rule,
} from './directive-forms.ts';
import { ADDRESS_FAMILIES, CAPABILITIES, EXIT_STATUSES, isSignal, SYSTEM_CALLS } from './systemd-names.ts';

/** The forms, by the names that directives.ts uses. */
export const RULES = {
  text: rule('text', () => true, EXPANDS),
  plain: rule('text', () => true),
  boolean: rule('yes or no', BOOLEAN, REQUIRED),
  choice: rule('yes or no', BOOLEAN),
  condition: rule(
    'an absolute path, with `!` or `|` in front if need be',
    value => isPath(value.replace(/^\|?\s*!?\s*/, '')),
    EXPANDS,
  ),
  units: each('names of units such as web.service', word => UNIT.test(word) && word.length < 256, EXPANDS),
  span: rule('a time such as 30s or 1min 30s', isSpan, REQUIRED),
  optionalSpan: rule('a time such as 30s or 1min 30s', isSpan),
  pressureSpan: rule(
    'a time of one second or more',
    value => isSpan(value) && !/^(0|0?\.[0-9]+)$/.test(value) && value !== 'infinity',
  ),
  paths: each('absolute paths', word => isPath(word.replace(/^-?\+?/, '')), EXPANDS),
  plainPaths: each('absolute paths', isPath, EXPANDS),
  mountPaths: each('absolute paths, with options behind a colon', word => isPath(word.split(':')[0] ?? ''), EXPANDS),
  path: rule('an absolute path', isPath, EXPANDS),
  file: rule('an absolute path', value => isPath(value.replace(/^-/, '')), EXPANDS),
  searchPath: rule('absolute paths with colons between them', value => value.split(':').every(isPath), EXPANDS),
  binds: each('SOURCE[:TARGET[:rbind|norbind]], with absolute paths', isBind, EXPANDS),
  memory: memory(true),
  memoryAboveZero: memory(false),
  byteLimit: limit('a size such as 1G or infinity', orInfinity(isBytes)),
  countLimit: limit('a number or infinity', orInfinity(isCount)),
  timeLimit: limit('a time', isSpan),
  niceLimit: limit(
    'a number',
    value =>
      /^(\+?[0-9]|\+?1[0-9]|-[0-9]|-1[0-9]|-20|[0-9]|[1-3][0-9]|40|0x[0-9a-f]+)$/.test(value) &&
      !/^(2[0-9]|3[0-9])$/.test(''),
  ),
  mode: rule('an access mode such as 0755', /^0*[0-7]{1,4}$/, REQUIRED),
  count: numberBetween(0, 4294967295, REQUIRED),
  optionalCount: numberBetween(0, 4294967295),
  exitStatus: numberBetween(0, 255),
  nice: numberBetween(-20, 19),
  oomScore: numberBetween(-1000, 1000),
  ioPriority: numberBetween(0, 7),
  schedulingPriority: numberBetween(0, 99, REQUIRED),
  weight: numberBetween(1, 10000),
  cpuWeight: rule(
    'a number from 1 to 10000, or idle',
    value => value === 'idle' || (COUNT.test(value) && Number(value) >= 1 && Number(value) <= 10000),
  ),
  quota: rule('a percentage such as 50%', value => isPercent(value) && parseFloat(value) > 0),
  share: rule('a percentage up to 100%', isShare),
  tasks: rule(
    'a number, a percentage, or infinity',
    value => value === 'infinity' || isShare(value) || (isCount(value) && Number(value) > 0),
  ),
  signal: rule('a signal such as SIGTERM', isSignal, REQUIRED),
  exitStatuses: rule('numbers to 255, names of exit statuses, or signals', value =>
    value
      .split(/\s+/)
      .every(word => isSignal(word) || EXIT_STATUSES.has(word) || (COUNT.test(word) && Number(word) < 256)),
  ),
  cpus: rule('numbers and ranges of processors, such as 0-3', isCpuList),
  nodes: rule('numbers and ranges of nodes, or all', value => value === 'all' || isCpuList(value)),
  deviceWeight: rule(
    'DEVICE WEIGHT',
    value =>
      /^\S+\s+[0-9]+$/.test(value) && Number(value.split(/\s+/)[1]) >= 1 && Number(value.split(/\s+/)[1]) <= 10000,
  ),
  deviceLimit: rule(
    'DEVICE BYTES',
    value => /^\S+\s+\S/.test(value) && /^(infinity)$|^[0-9.]+[KMGTPEB]?$/.test(value.replace(/^\S+\s+/, '')),
  ),
  deviceSpan: rule('DEVICE TIME', value => /^\S+\s+\S/.test(value) && isSpan(value.replace(/^\S+\s+/, ''))),
  device: rule(
    'a device such as /dev/null, char-* or block-*, with r, w or m behind it',
    /^(\/dev\/|\/run\/systemd\/inaccessible\/|char-|block-)\S*(\s+[rwm]+)?$/,
    EXPANDS,
  ),
  addresses: each(
    'IP addresses with a prefix, any, localhost, link-local or multicast',
    word => IP.test(word) || /^(any|localhost|link-local|multicast)$/.test(word),
  ),
  socketBind: rule(
    '[ipv4:|ipv6:][tcp:|udp:]PORT, a range, or any',
    /^((ipv[46]:)?((tcp|udp):)?(0x[0-9a-f]+|[0-9]{1,5}(-[0-9]{1,5})?)|(ipv[46]:)?((tcp|udp):)?any|ipv[46]|tcp|udp|ipv[46]:(tcp|udp))$/,
  ),
  environment: rule(
    'NAME=VALUE',
    value => {
      const read = splitArguments(value);
      return read.fault?.message.includes('quote') !== true && read.words.every(isAssignment);
    },
    EXPANDS,
  ),
  variables: rule('names of variables', value => splitArguments(value).words.every(word => NAME.test(word)), EXPANDS),
  variablesOrValues: rule(
    'names of variables, or NAME=VALUE',
    value => splitArguments(value).words.every(word => NAME.test(word) || isAssignment(word)),
    EXPANDS,
  ),
  fields: rule(
    'FIELD=VALUE in capitals',
    value => splitArguments(value).words.every(word => /^[A-Z][A-Z0-9_]{0,63}=/.test(word)),
    EXPANDS,
  ),
  documentation: each(
    'addresses that begin with http://, https://, file:, info: or man:',
    word => /^(https?:\/\/.|file:\/|info:.|man:.)/.test(word),
    EXPANDS,
  ),
  busName: rule('a name such as org.example.Web', /^[A-Za-z_-][A-Za-z0-9_-]*(\.[A-Za-z_-][A-Za-z0-9_-]*)+$/, {
    ...EXPANDS,
    ...REQUIRED,
  }),
  sockets: each('names of socket units', word => UNIT.test(word) && word.endsWith('.socket'), EXPANDS),
  slice: rule(
    'the name of a slice, such as machine.slice',
    value => UNIT.test(value) && value.endsWith('.slice') && !/^-.|--|.-\.slice$/.test(value),
    { ...EXPANDS, ...REQUIRED },
  ),
  openFile: rule(
    'PATH[:NAME[:OPTIONS]]',
    /^\/[^:]*(:[^:]*(:(read-only|append|truncate|graceful)(,(read-only|append|truncate|graceful))*)?)?$/,
  ),
  directories: directories(true),
  plainDirectories: directories(false),
  capabilities: eachOrNot(
    'capabilities such as CAP_NET_ADMIN',
    word => CAPABILITIES.has(word.toLowerCase().replace(/^cap_/, '')) && /^cap_/i.test(word),
  ),
  systemCalls: eachOrNot('names of system calls, or sets such as @system-service', isSystemCall),
  systemCallNames: eachOrNot('names of system calls, or sets such as @system-service', word => SYSTEM_CALLS.has(word)),
  errorNumber: rule('an error such as EPERM, or kill', isErrno),
  families: eachOrNot(
    'address families such as AF_INET, or none',
    word => word === 'none' || (word.startsWith('AF_') && ADDRESS_FAMILIES.has(word.slice(3))),
  ),
  namespaces: { ...eachOrNot('yes, no, or kinds of namespaces', /^(cgroup|ipc|net|mnt|pid|user|uts|time)$/) },
  controllers: each(
    'controllers such as cpu and memory',
    /^(cpu|cpuacct|cpuset|io|blkio|memory|devices|pids|bpf-firewall|bpf-devices|bpf-foreign|bpf-socket-bind|bpf-restrict-network-interfaces)$/,
  ),
  interfaces: eachOrNot(
    'names of network interfaces',
    word => /^[!-$&(-.0-9;-~]{1,127}$/.test(word) && !/^([0-9]+|all|default|\.\.?)$/.test(word),
  ),
  architectures: each(
    'architectures such as native or x86-64',
    /^(native|x86|x86-64|x32|arm|arm64|mips(64)?(-le)?(-n32)?|ppc(64)?(-le)?|riscv64|s390x?|loongarch64|parisc(64)?)$/,
  ),
  nftSet: each(
    'SOURCE:FAMILY:TABLE:SET',
    /^(user|group|cgroup):(arp|bridge|inet|ip6?|netdev):[A-Za-z]\w*:[A-Za-z]\w*$/,
    EXPANDS,
  ),
  bpfProgram: rule(
    'TYPE:PATH',
    /^(egress|ingress|sock_create|sock_ops|device|bind[46]|connect[46]|post_bind[46]|sendmsg[46]|sysctl|recvmsg[46]|getsockopt|setsockopt):\//,
  ),
  subgroup: rule('a name without `/`', value => !/^\.|\//.test(value) && value.length < 256),
  namespaceName: rule('a name of letters, digits, `.`, `_` and `-`', /^(?!\.\.?$)[A-Za-z0-9_.:@-]{1,200}$/, EXPANDS),
  credentialValue: rule('NAME:VALUE', /^[^/:\s]+:/, EXPANDS),
  credentialFile: rule('NAME[:PATH]', /^(?!\.\.?(:|$))[^/:\x80-\xff]{1,255}(:([^:]*|\/(?!\/).*))?$/, EXPANDS),
  input: rule(
    'null, tty, data, socket, fd:NAME or file:/PATH',
    /^(null|tty|tty-force|tty-fail|data|socket|fd(:\S*)?|file:\/.*)$/,
    { ...EXPANDS, ...REQUIRED },
  ),
  output: rule(
    'journal, inherit, null, tty, socket, fd:NAME, or file:, append: or truncate: with a path',
    /^(inherit|null|tty|journal(\+console)?|kmsg(\+console)?|socket|fd(:\S*)?|(file|append|truncate):\/.*)$/,
    { ...EXPANDS, ...REQUIRED },
  ),
  base64: rule(
    'base64',
    value => /^[A-Za-z0-9+/_-]*=*$/.test(value.replace(/\s/g, '')) && value.replace(/\s/g, '').length % 4 === 0,
  ),
  command: rule(
    'an escape such as \\\\ for a backslash',
    value => splitArguments(value.replaceAll('\\;', ';')).fault?.message.includes('escape') !== true,
    EXPANDS,
  ),
  mountImages: each('SOURCE:TARGET, with absolute paths', /^-?\/[^:]*:\/[^:]*(:.*)?$/, EXPANDS),
  images: each(
    'absolute paths',
    word => /^-?\//.test(word) && isPath((word.split(':')[0] ?? '').replace(/^-/, '')),
    EXPANDS,
  ),
  rootHash: rule('a hash in hexadecimal, or an absolute path', /^(\/.*|([0-9a-f]{2}){16,})$/i),
  rootHashSignature: rule('an absolute path, or base64: with a signature', /^(\/.*|base64:[A-Za-z0-9+/]*=*)$/),
  imageOptions: each(
    '[PARTITION:]OPTIONS',
    /^([^:]*|(root|usr|home|srv|esp|xbootldr|swap|(root|usr)-verity(-sig)?|tmp|var):.*)$/,
    EXPANDS,
  ),
  coredump: each(
    'kinds of memory such as elf-headers, or hexadecimal numbers',
    /^((0x)?[0-9a-f]{1,16}|all|default|(private|shared)-(anonymous|file-backed|huge|dax)|elf-headers)$/i,
  ),
  credentialEncrypted: rule(
    'NAME:BASE64',
    /^[^/:\s]+:([A-Za-z0-9+/\s]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
    EXPANDS,
  ),
  credentialGlob: rule('NAME[:NAME], with `*` and `?`', /^(?!\.\.?$)[^/:[\x80-\xff]{1,255}(:[^/:]*)?$/, EXPANDS),
  secureBits: each(
    'keep-caps, no-setuid-fixup or noroot, with -locked if need be',
    /^(keep-caps|no-setuid-fixup|noroot)(-locked)?$/,
  ),
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;
