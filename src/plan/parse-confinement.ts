import { bad, take, type Draft } from './draft.ts';
import { choice, flag, NOT_SIZE, type Apply } from './option-readers.ts';
import * as network from './parse-network.ts';
import { parsePort } from './parse-ports.ts';
import * as security from './parse-security.ts';
import { parseMap } from './parse-userns.ts';
import * as values from './parse-values.ts';

export const CONFINEMENT: Readonly<Record<string, Apply>> = {
  'cap-add': (draft, value) => draft.request.capAdd.push(value),
  'cap-drop': (draft, value) => draft.request.capDrop.push(value),
  privileged: flag('privileged'),
  'security-opt': security.parseSecurity,
  sysctl: security.parseSysctl,
  ulimit: security.parseUlimit,
  userns: (draft, value) => (draft.userns = value),
  uidmap: (draft, value) => parseMap(draft, 'uidmap', value),
  gidmap: (draft, value) => parseMap(draft, 'gidmap', value),
  subuidname: (draft, value) => (draft.maps.subUid = value),
  subgidname: (draft, value) => (draft.maps.subGid = value),
  pid: namespace('pid'),
  ipc: namespace('ipc', ['none', 'shareable']),
  uts: namespace('uts'),
  cgroupns: namespace('cgroupns'),
  cgroups: choice('cgroups', { split: 'split', enabled: 'enabled', disabled: 'disabled', 'no-conmon': 'no-conmon' }),
  'oom-score-adj': (draft, value, option) =>
    take(
      draft,
      option,
      value,
      values.readInteger(value, -1000, 1000),
      'not from -1000 to 1000',
      read => (draft.request.oomScoreAdj = read),
    ),
};

export const RESOURCES: Readonly<Record<string, Apply>> = {
  memory: resource('memory', security.readLimitedSize, NOT_SIZE),
  'memory-reservation': resource('memoryReservation', values.readSize, NOT_SIZE),
  'memory-swap': resource('memorySwap', security.readLimitedSize, NOT_SIZE),
  'pids-limit': resource(
    'pids',
    text => values.readInteger(text, -1, 4194304),
    'not a number of processes from -1 to 4194304',
  ),
  cpus: resource('cpus', values.readDecimal, 'not a number such as 0.5'),
  'cpu-shares': resource('cpuShares', text => values.readInteger(text, 0, 262144), 'not from 2 to 262144'),
  'cpu-period': (draft, value, option) =>
    take(
      draft,
      option,
      value,
      values.readInteger(value, 1000, 1000000),
      'not from 1000 to 1000000',
      read => (draft.cpu.period = read),
    ),
  'cpu-quota': (draft, value, option) =>
    take(
      draft,
      option,
      value,
      values.readInteger(value, -1, Number.MAX_SAFE_INTEGER),
      'not a number of microseconds',
      read => {
        draft.cpu.quota = read;
      },
    ),
  'cpuset-cpus': resource('cpusetCpus', readCpuList, 'not a list such as 0-3,7'),
  'cpuset-mems': (draft, value, option) =>
    take(draft, option, value, readCpuList(value), 'not a list such as 0-1', read =>
      unified(draft, 'cpuset.mems', read),
    ),
  'cgroup-conf': (draft, value, option) => {
    const [file, text] = values.cut(value, '=');
    const right = text !== undefined && /^[a-z]+\.[a-z0-9_.]+$/.test(file) && !file.startsWith('cgroup.');
    if (right) unified(draft, file, text);
    else bad(draft, option, value, 'not the file of a controller and its value', 'write e.g. memory.high=64M');
  },
};

export const NETWORK: Readonly<Record<string, Apply>> = {
  network: network.parseNetwork,
  'network-alias': (draft, value, option) => network.parseDnsWord(draft, option, value, draft.request.networkAliases),
  hostname: network.parseHostname,
  publish: (draft, value) => parsePort(draft, 'publish', value),
  'publish-all': flag('publishAll'),
  expose: (draft, value) => parsePort(draft, 'expose', value),
  ip: (draft, value) => network.parseIp(draft, 'ip', value),
  ip6: (draft, value) => network.parseIp(draft, 'ip6', value),
  'mac-address': network.parseMac,
  dns: network.parseDns,
  'dns-option': (draft, value, option) => network.parseDnsWord(draft, option, value, draft.request.dnsOptions),
  'dns-search': (draft, value, option) => network.parseDnsWord(draft, option, value, draft.request.dnsSearch),
  'add-host': network.parseAddHost,
};

/** A namespace mode; `words` are the modes beside private, host, container:NAME and ns:PATH. */
function namespace(key: 'pid' | 'ipc' | 'uts' | 'cgroupns', words: readonly string[] = []): Apply {
  return (draft, value, option) => {
    const [mode, rest] = values.cut(value, ':');
    const plain = rest === undefined && (mode === 'private' || mode === 'host' || words.includes(mode));
    const joined =
      (mode === 'container' && values.isName(rest ?? '')) || (mode === 'ns' && rest?.startsWith('/') === true);
    if (plain || joined) draft.request[key] = value;
    else if (value === '') draft.request[key] = 'private';
    else bad(draft, option, value, 'there is no such mode', 'use private, host, container:NAME or ns:PATH');
  };
}

type Resource = 'memory' | 'memoryReservation' | 'memorySwap' | 'pids' | 'cpus' | 'cpuShares' | 'cpusetCpus';

function resource(key: Resource, read: (text: string) => number | string | undefined, what: string): Apply {
  return (draft, value, option) => {
    take(draft, option, value, read(value), what, found => {
      draft.request.resources = { ...draft.request.resources, [key]: found };
    });
  };
}

function unified(draft: Draft, file: string, value: string): void {
  const { resources } = draft.request;
  draft.request.resources = { ...resources, unified: { ...resources.unified, [file]: value } };
}

/** A list of CPUs or memory nodes: `0-3,7`. */
function readCpuList(text: string): string | undefined {
  for (const part of text.split(',')) {
    const [first, last] = values.cut(part, '-');
    const low = values.readDigits(first, 65535);
    const high = last === undefined ? low : values.readDigits(last, 65535);
    if (low === undefined || high === undefined || high < low) return undefined;
  }
  return text;
}
