import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWish, type NetworkWish } from '../../../src/network/wish.ts';

const WISH: NetworkWish = {
  name: 'one',
  driver: 'bridge',
  subnets: [],
  routes: [],
  ipv6: false,
  internal: false,
  dns: true,
  dnsServers: [],
  ipamDriver: 'host-local',
  labels: {},
  options: {},
};

void test('options are recorded as netavark knows them: it takes another word for `true` as false, or refuses it', () => {
  const recorded = (key: string, value: string): unknown =>
    readWish({ ...WISH, options: { [key]: value } }).options[key];
  for (const word of ['true', 'TRUE', 'True', '1']) assert.equal(recorded('isolate', word), 'true');
  for (const word of ['false', 'False', '0']) assert.equal(recorded('isolate', word), 'false');
  for (const word of ['strict', 'STRICT']) assert.equal(recorded('isolate', word), 'strict');
  assert.equal(recorded('no_default_route', '1'), 'true');
  assert.equal(recorded('mtu', '1400'), '1400');
});

void test('what netavark or the kernel would refuse at the first start is refused', () => {
  const refused = (part: Partial<NetworkWish>, reason: RegExp): void => {
    assert.throws(() => readWish({ ...WISH, ...part }), reason);
  };
  for (const options of [
    { mode: 'l3' },
    { mode: 'private' },
    { mtu: '60' },
    { mtu: '70000' },
    { vlan: '4095' },
    { vlan: '0' },
    { isolate: 'yes' },
  ])
    refused({ options }, /: the value is not understood/);
  const macvlan = { driver: 'macvlan', subnets: [{ subnet: '10.9.0.0/24' }] };
  refused({ ...macvlan, options: { mode: 'managed' } }, /--opt mode=managed/);
  assert.equal(readWish({ ...WISH, ...macvlan, options: { mode: 'private' } }).options['mode'], 'private');
  const subnets = (...texts: string[]): Partial<NetworkWish> => ({ subnets: texts.map(subnet => ({ subnet })) });
  refused(subnets('10.66.0.0/31'), /10\.66\.0\.0\/31: no room for a gateway/);
  refused(subnets('fd00::/127'), /fd00::\/127: no room/);
  for (const text of ['224.1.0.0/16', '127.5.0.0/24', 'fe80::/64', 'ff02::/64'])
    refused(subnets(text), /no address in/);
  refused(subnets('10.66.0.0/16', 'fd00::/64', '10.66.7.0/24'), /10\.66\.7\.0\/24: overlaps --subnet 10\.66\.0\.0\/16/);
  for (const gateway of ['10.66.0.0', '10.66.0.255'])
    refused({ subnets: [{ subnet: '10.66.0.0/24', gateway }] }, /the first and the last/);
  for (const interfaceName of ['all', 'default', '..']) refused({ interfaceName }, /--interface-name/);
  assert.equal(readWish({ ...WISH, ...subnets('10.66.0.0/30', 'fd00::/126') }).subnets.length, 2);
  refused({ routes: ['10.9.0.0/16,fd00::1'] }, /one of the two is of IPv4, the other of IPv6/);
  const [route] = readWish({ ...WISH, routes: ['10.9.0.1/16,10.66.0.9'] }).routes;
  assert.deepEqual(route, { destination: '10.9.0.0/16', gateway: '10.66.0.9' });
});
