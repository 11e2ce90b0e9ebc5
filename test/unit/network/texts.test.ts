import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { globalAddresses6, localAddresses4 } from '../../../src/network/addresses.ts';
import { hostsText, resolvText } from '../../../src/network/etc-files.ts';
import { chooseAddress, freeDefaultSubnet, parseRoutes, type NetworkState } from '../../../src/network/ipam.ts';
import { request } from './setting.ts';

void test('hosts: what was asked for wins, and no name stands twice for one family', () => {
  const text = hostsText('127.0.0.1 localhost here\n# a comment\n::1 localhost\n192.0.2.1 router db # old\n', {
    mode: 'pasta',
    added: [
      { name: 'db', address: '192.0.2.7' },
      { name: 'up', address: 'host-gateway' },
    ],
    addresses: ['192.0.2.5', '2001:db8::5'],
    hostAddress: '169.254.1.2',
    names: ['web'],
  });
  assert.equal(
    text,
    [
      '192.0.2.7\tdb',
      '169.254.1.2\tup',
      '127.0.0.1\tlocalhost here',
      '::1\tlocalhost',
      '192.0.2.1\trouter',
      '169.254.1.2\thost.containers.internal host.docker.internal',
      '192.0.2.5\tweb',
      '2001:db8::5\tweb',
      '',
    ].join('\n'),
  );
});

void test('hosts of an empty base still know localhost', () => {
  const text = hostsText('', { mode: 'none', added: [], names: ['web'] });
  assert.equal(text, '127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.0.1\tweb\n');
});

void test('hosts: a container has its name with each address of several networks, but not beside another meaning', () => {
  const content = {
    mode: 'bridge',
    added: [],
    addresses: ['10.1.0.2', '10.2.0.2', '2001:db8::5'],
    names: ['box', 'web'],
  };
  const lines = hostsText('192.0.2.1 box\n', content).split('\n').slice(3);
  assert.deepEqual(lines, ['10.1.0.2\tweb', '10.2.0.2\tweb', '2001:db8::5\tbox web', '']);
});

const BASE = 'domain x\nsearch a.example b.example\nnameserver 127.0.0.1\nnameserver 192.0.2.53\noptions rotate\n';

void test('resolv.conf: servers of the host, without its loopback', () => {
  const bridge = { mode: 'bridge', nameservers: [] };
  assert.equal(
    resolvText(BASE, request(), bridge),
    'search a.example b.example\nnameserver 192.0.2.53\noptions rotate\n',
  );
  assert.match(resolvText(BASE, request('--network', 'host'), { mode: 'host' }), /nameserver 127\.0\.0\.1\n/);
});

void test('resolv.conf: --dns replaces, --dns-search . clears, --dns-option replaces', () => {
  const asked = request('--dns', '192.0.2.9', '--dns-search', '.', '--dns-option', 'ndots:2');
  assert.equal(
    resolvText(BASE, asked, { mode: 'pasta', nameservers: ['169.254.1.1'] }),
    'nameserver 192.0.2.9\noptions ndots:2\n',
  );
});

void test('addresses of a namespace', () => {
  const trie = [
    'Main:',
    '  +-- 0.0.0.0/0 3 0 5',
    '     |-- 127.0.0.1',
    '        /32 host LOCAL',
    '     |-- 192.0.2.0',
    '        /24 link UNICAST',
    '        |-- 192.0.2.5',
    '           /32 host LOCAL',
    '        |-- 192.0.2.255',
    '           /32 link BROADCAST',
    'Local:',
    '        |-- 192.0.2.5',
    '           /32 host LOCAL',
  ].join('\n');
  assert.deepEqual(localAddresses4(trie), ['192.0.2.5']);
  const six =
    'fe800000000000000000000000000001 02 40 20 80 eth0\n20010db8000000000000000000000005 02 40 00 80 eth0\n' +
    '00000000000000000000000000000001 01 80 10 80 lo\n20010db8000100020003000400050006 02 40 00 80 eth0\n';
  assert.deepEqual(globalAddresses6(six), ['2001:db8::5', '2001:db8:1:2:3:4:5:6']);
});

const ROUTES = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
const route = (device: string, destination: string, mask: string): string =>
  `${device}\t${destination}\t00000000\t0001\t0\t0\t0\t${mask}\t0\t0\t0\n`;

void test('the subnet is one that no route overlaps', () => {
  const free = (routes: string, podman = false): string =>
    freeDefaultSubnet(
      fakeHost({ files: { '/proc/net/route': ROUTES + routes, ...(podman ? { '/usr/bin/podman': '' } : {}) } }),
    );
  assert.equal(free(''), '10.88.0.0/16');
  assert.equal(free(route('eth0', '00000000', '00000000')), '10.88.0.0/16');
  assert.equal(free(route('podman0', '0000580A', '0000FFFF')), '10.89.0.0/16');
  // 10.88.5.0/24 lies within, 10.64.0.0/10 around it.
  assert.equal(free(route('eth1', '0005580A', '00FFFFFF')), '10.89.0.0/16');
  assert.equal(free(route('eth1', '0000400A', '0000C0FF')), '10.128.0.0/16');
  assert.equal(free(route('berth0', '0000580A', '0000FFFF')), '10.88.0.0/16');
  assert.equal(free('', true), '10.90.0.0/16');
  const created = (subnet: string): Record<string, string> => ({
    '/var/lib/berth/networks/web.json': JSON.stringify({ name: 'web', subnets: [{ subnet, gateway: '10.89.0.1' }] }),
    '/proc/net/route': ROUTES + route('eth1', '0005580A', '00FFFFFF'),
  });
  // The bridge of a network that was created comes up with its first container.
  assert.equal(freeDefaultSubnet(fakeHost({ files: created('10.89.0.0/24') })), '10.90.0.0/16');
  assert.equal(freeDefaultSubnet(fakeHost({ files: created('fd00:1::/64') })), '10.89.0.0/16');
  assert.deepEqual(parseRoutes(ROUTES + route('eth0', '0000580A', '0000FFFF')), [
    { family: 4, first: 0x0a580000n, last: 0x0a58ffffn, prefix: 16 },
  ]);
});

void test('addresses are given from the lowest, and never network, gateway or broadcast', () => {
  const rest = { bundle: '/b', ports: [], configuration: '' };
  const attachments = { '/b': { ...rest, networks: { berth: ['10.88.0.2', '10.88.0.4'] } } };
  const state: NetworkState = { version: 2, subnet: '10.88.0.0/16', attachments };
  const subnet = { subnet: '10.88.0.0/16', gateway: '10.88.0.1' };
  const choose = (wanted?: string): string | undefined => chooseAddress(state, 'berth', subnet, wanted);
  assert.equal(choose(), '10.88.0.3');
  assert.equal(choose('10.88.0.4'), undefined);
  const narrow = { ...subnet, lease_range: { start_ip: '10.88.9.0', end_ip: '10.88.9.1' } };
  assert.equal(chooseAddress(state, 'berth', narrow, undefined), '10.88.9.0');
  assert.equal(chooseAddress(state, 'blue', { subnet: 'fd00:1::/64', gateway: 'fd00:1::1' }, undefined), 'fd00:1::2');
  for (const address of ['10.88.0.0', '10.88.0.1', '10.88.255.255', '10.89.0.5']) {
    assert.equal(choose(address), undefined, address);
  }
});
