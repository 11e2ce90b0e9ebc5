import { duration, flag, integer, list, size, text, words } from './rows.ts';
import type { OptionRow } from './types.ts';

const IO = 'use the IO keys of [Service], such as IOWeight= and IOReadBandwidthMax=';
const REALTIME = 'unified cgroups have no such limit';

/** In the place of a container's name (verbs/latest.ts). */
export const LATEST = flag('latest', 'the container made last', { short: 'l' });

/** Limits of the payload's cgroup. */
export const RESOURCES: readonly OptionRow[] = [
  size('memory', 'SIZE', 'memory limit', { short: 'm' }),
  size('memory-reservation', 'SIZE', 'memory that is protected from reclaim'),
  size('memory-swap', 'SIZE', 'memory and swap together; -1: no limit'),
  integer('memory-swappiness', 'N', 'tendency to swap', {
    refused: 'unified cgroups have no such knob; use --memory-swap',
  }),
  integer('pids-limit', 'N', 'number of processes; -1: no limit'),
  text('cpus', 'N', 'number of CPUs, with fraction'),
  integer('cpu-shares', 'N', 'relative CPU weight', { short: 'c' }),
  integer('cpu-period', 'USEC', 'period of the CPU limit'),
  integer('cpu-quota', 'USEC', 'quota of the CPU limit'),
  integer('cpu-rt-period', 'USEC', 'period of the real-time limit', { refused: REALTIME }),
  integer('cpu-rt-runtime', 'USEC', 'real-time limit', { refused: REALTIME }),
  text('cpuset-cpus', 'LIST', 'CPUs that may be used'),
  text('cpuset-mems', 'LIST', 'memory nodes that may be used'),
  list('cgroup-conf', 'FILE=VALUE', 'write a file of the cgroup'),
  text('blkio-weight', 'N', 'IO weight', { refused: IO }),
  list('blkio-weight-device', 'DEVICE:WEIGHT', 'IO weight of a device', { refused: IO }),
  list('device-read-bps', 'DEVICE:RATE', 'read rate', { refused: IO }),
  list('device-read-iops', 'DEVICE:RATE', 'read operations', { refused: IO }),
  list('device-write-bps', 'DEVICE:RATE', 'write rate', { refused: IO }),
  list('device-write-iops', 'DEVICE:RATE', 'write operations', { refused: IO }),
];

/** Network of a container or a pod. */
export const NETWORK: readonly OptionRow[] = [
  list('network', 'MODE', 'none, host, pasta, bridge, NAME, container:NAME or ns:PATH', { aliases: ['net'] }),
  words('network-alias', 'NAME', 'further name in the network'),
  text('hostname', 'NAME', 'host name', { short: 'h' }),
  words('publish', '[[ADDRESS:]HOSTPORT:]PORT[/PROTOCOL]', 'publish a port', { short: 'p' }),
  flag('publish-all', 'publish each exposed port on a free port of the host', { short: 'P' }),
  words('expose', 'PORT[/PROTOCOL]', 'note a port; --publish-all alone opens it'),
  text('ip', 'ADDRESS', 'IPv4 address in the network'),
  text('ip6', 'ADDRESS', 'IPv6 address in the network'),
  text('mac-address', 'ADDRESS', 'hardware address'),
  words('dns', 'ADDRESS', 'name server'),
  words('dns-option', 'OPTION', 'option of resolv.conf', { aliases: ['dns-opt'] }),
  words('dns-search', 'DOMAIN', 'search domain'),
  words('add-host', 'NAME:ADDRESS', 'line for /etc/hosts'),
];

/** Choosing and fetching an image. */
export const PULLING: readonly OptionRow[] = [
  text('arch', 'ARCH', 'architecture of the image'),
  text('os', 'OS', 'operating system of the image'),
  text('variant', 'VARIANT', 'variant of the architecture'),
  text('platform', 'OS/ARCH[/VARIANT]', 'platform of the image'),
  text('authfile', 'FILE', 'registry credentials'),
  flag('tls-verify', 'verify the registry (default true)'),
  list('decryption-key', 'KEY', 'key of an encrypted image', {
    refused: 'encrypted images are not in this version of Berth',
  }),
];

/** Health checks. */
export const HEALTH: readonly OptionRow[] = [
  text('health-cmd', 'COMMAND', 'check: a command, port:N, http:N/PATH or unix:PATH'),
  duration('health-interval', 'TIME', 'time between checks'),
  text('health-log-destination', 'DIR', 'where results are kept'),
  integer('health-max-log-count', 'N', 'how many results are kept'),
  integer('health-max-log-size', 'N', 'characters of a result'),
  text('health-on-failure', 'ACTION', 'none, kill, restart or stop'),
  integer('health-retries', 'N', 'failures until it counts'),
  duration('health-start-period', 'TIME', 'time to come up'),
  text('health-startup-cmd', 'COMMAND', 'check until the payload is up'),
  duration('health-startup-interval', 'TIME', 'time between these'),
  integer('health-startup-retries', 'N', 'failures until it counts'),
  integer('health-startup-success', 'N', 'successes until it is up'),
  duration('health-startup-timeout', 'TIME', 'time of one check'),
  duration('health-timeout', 'TIME', 'time of one check'),
  flag('no-healthcheck', "ignore the image's health check"),
];
