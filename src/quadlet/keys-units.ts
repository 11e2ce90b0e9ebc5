import {
  argumentsKey,
  boolKey,
  commonKeys,
  listKey,
  mappingKeys,
  numberKey,
  pairsKey,
  remapKeys,
  scalarKey,
  table,
  wordsKey,
} from './keys.ts';

const CODE = { special: true };
const NETWORK = 'none, host, NAME, NAME.network or NAME.container';
const PORT = 'publish a port, [[ADDRESS:]HOSTPORT:]PORT[/PROTOCOL]';

/** [Pod] */
export const podKeys = table('Pod', () => [
  ...commonKeys('5.0'),
  scalarKey('PodName', 'name', '5.0', 'name of the pod (default systemd-NAME)', { ...CODE, check: 'name' }),
  scalarKey('ExitPolicy', 'exit-policy', '5.6', 'what happens when the last container ends: stop or continue', {
    ...CODE,
    empty: true,
  }),
  scalarKey('StopTimeout', '', '5.7', 'seconds between stop signal and kill (default 10)', {
    ...CODE,
    check: 'count',
    empty: true,
  }),
  ...mappingKeys('5.3'),
  ...remapKeys('5.3'),
  listKey('PublishPort', 'publish', '5.0', PORT, { check: 'port' }),
  pairsKey('Label', 'label', '5.6', 'label'),
  listKey('Network', 'network', '5.0', NETWORK, CODE),
  scalarKey('IP', 'ip', '5.3', 'IPv4 address in the network', { check: 'address' }),
  scalarKey('IP6', 'ip6', '5.3', 'IPv6 address in the network', { check: 'address' }),
  scalarKey('ShmSize', 'shm-size', '5.4', 'size of /dev/shm', { check: 'size' }),
  listKey('NetworkAlias', 'network-alias', '5.2', 'further name in the network'),
  listKey('DNS', 'dns', '5.3', 'name server'),
  listKey('DNSOption', 'dns-option', '5.3', 'option of resolv.conf'),
  listKey('DNSSearch', 'dns-search', '5.3', 'search domain'),
  listKey('AddHost', 'add-host', '5.3', 'line of /etc/hosts, NAME:ADDRESS'),
  listKey('HostName', 'hostname', '5.5', 'host name in the pod'),
  listKey('Volume', 'volume', '5.0', 'mount, [SOURCE:]TARGET[:OPTIONS]', CODE),
  argumentsKey('5.0'),
]);

/** [Volume] */
export const volumeKeys = table('Volume', () => [
  ...commonKeys(),
  scalarKey('VolumeName', '', '4.7', 'name of the volume (default systemd-NAME)', { ...CODE, check: 'name' }),
  scalarKey('UID', 'uid', '6.0', 'owner', { empty: true, check: 'count' }),
  scalarKey('GID', 'gid', '6.0', 'group', { empty: true, check: 'count' }),
  scalarKey('Driver', 'driver', '4.8', 'local or image', { empty: true }),
  scalarKey('Image', 'opt', '4.8', 'with Driver=image: the image, or NAME.image, NAME.build', CODE),
  boolKey('Copy', 'opt', '4.4', "fill the new volume from the image's directory", { ...CODE }),
  scalarKey('Device', 'opt', '4.4', 'device or directory', CODE),
  scalarKey('Type', 'opt', '4.4', 'file system, or bind', CODE),
  numberKey('User', '', '4.4', 'owner of the file system, name or number', CODE),
  numberKey('Group', '', '4.4', 'group of the file system, name or number', CODE),
  scalarKey('Options', '', '4.4', 'mount options', CODE),
  pairsKey('Label', 'label', '4.4', 'label'),
  argumentsKey('4.6'),
]);

/** [Network] */
export const networkKeys = table('Network', () => [
  ...commonKeys(),
  scalarKey('NetworkName', '', '4.7', 'name of the network (default systemd-NAME)', { ...CODE, check: 'name' }),
  boolKey('DisableDNS', 'disable-dns', '4.4', 'no name service in it'),
  boolKey('Internal', 'internal', '4.4', 'no way out'),
  boolKey('IPv6', 'ipv6', '4.4', 'IPv6 as well'),
  scalarKey('Driver', 'driver', '4.4', 'bridge, macvlan or ipvlan'),
  scalarKey('IPAMDriver', 'ipam-driver', '4.4', 'who gives addresses out'),
  scalarKey('InterfaceName', 'interface-name', '5.6', 'name of the interface'),
  listKey('DNS', 'dns', '4.7', 'name server'),
  listKey('Subnet', 'subnet', '4.4', 'addresses in CIDR form', CODE),
  listKey('Gateway', 'gateway', '4.4', 'gateway of the subnet of the same position', CODE),
  listKey('IPRange', 'ip-range', '4.4', 'addresses that are given out, of the subnet of the same position', CODE),
  pairsKey('Options', 'opt', '4.4', 'option of the driver'),
  pairsKey('Label', 'label', '4.4', 'label'),
  boolKey('NetworkDeleteOnStop', '', '5.5', 'remove the network when the service stops', CODE),
  argumentsKey('4.6'),
]);

/** [Kube] */
export const kubeKeys = table('Kube', () => [
  ...commonKeys(),
  scalarKey('ExitCodePropagation', 'service-exit-code-propagation', '4.6', 'all, any or none', { joined: true }),
  scalarKey('LogDriver', 'log-driver', '4.5', 'journald, passthrough or none', { empty: true }),
  wordsKey('LogOpt', 'log-opt', '5.2', 'option of the log driver'),
  scalarKey('UserNS', 'userns', '4.5', 'user namespace', CODE),
  ...remapKeys(),
  listKey('Network', 'network', '4.4', NETWORK, CODE),
  wordsKey('AutoUpdate', 'annotation', '4.7', 'registry or local, or CONTAINER/registry', CODE),
  wordsKey('ConfigMap', 'configmap', '4.4', 'file with a ConfigMap', { path: true }),
  listKey('PublishPort', 'publish', '4.4', PORT, { check: 'port' }),
  argumentsKey('4.6'),
  wordsKey('Yaml', '', '4.4', 'the Kubernetes file', { ...CODE, path: true }),
  boolKey('KubeDownForce', 'force', '4.8', 'remove volumes when the service stops', CODE),
  scalarKey('SetWorkingDirectory', '', '4.7', 'yaml or unit', CODE),
]);
