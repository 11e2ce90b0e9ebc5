import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from '../../../src/base/problem.ts';
import { isNamedNetwork } from '../../../src/command/networks.ts';
import { nest, wakeWaiters } from '../../../src/network/namespace.ts';
import { relative } from '../../../src/plan/id-maps.ts';
import type { Spec } from '../../../src/plan/spec.ts';
import { account, DIRECTORY, FULL, RECORD } from './account-setting.ts';
import { refusal, request, setting } from './setting.ts';

const spec = (map: Spec['linux']['uidMappings']): Spec =>
  ({ linux: { namespaces: [{ type: 'user' }], uidMappings: map, gidMappings: map } }) as unknown as Spec;

void test('which values of --network name a network', () => {
  for (const value of ['bridge', 'blue', 'blue:ip=10.0.0.1', 'berth']) assert.equal(isNamedNetwork(value), true, value);
  for (const value of ['', 'default', 'private', 'none', 'host', 'pasta:-I,x', 'container:a', 'ns:/x'])
    assert.equal(isNamedNetwork(value), false, value);
});

void test('a map is told in ids of the outer namespace, with no line across two of its lines', () => {
  assert.deepEqual(relative([{ containerID: 0, hostID: 100000, size: 7 }], FULL), [
    { containerID: 0, hostID: 1, size: 7 },
  ]);
  const joined = [
    { containerID: 0, hostID: 5, size: 1 },
    { containerID: 1, hostID: 6, size: 9 },
  ];
  assert.deepEqual(relative([{ containerID: 0, hostID: 5, size: 10 }], joined), [
    { containerID: 0, hostID: 0, size: 1 },
    { containerID: 1, hostID: 1, size: 9 },
  ]);
  assert.equal(relative([{ containerID: 0, hostID: 165536, size: 1 }], FULL), undefined);
});

void test("a container in a network is made below the account's namespace; others are not, nor are root's", () => {
  const { host } = account();
  assert.deepEqual(nest(host, request('--network', 'blue'), spec(FULL))._unsafeUnwrap(), {
    user: '/proc/500/ns/user',
    maps: '0 0 1,1 1 65536;0 0 1,1 1 65536',
  });
  assert.equal(nest(host, request('--network', 'pasta'), spec(FULL))._unsafeUnwrap(), undefined);
  assert.equal(nest(setting({ uid: 0 }).host, request('--network', 'blue'), spec([]))._unsafeUnwrap(), undefined);
  const strange = nest(host, request('--network', 'blue'), spec([{ containerID: 0, hostID: 7, size: 1 }]));
  assert.match(describe(strange._unsafeUnwrapErr()), /other ids since berth-netns.service was started/);
});

void test('without the namespace the start says which unit is required', () => {
  const gone = JSON.stringify({ ...RECORD, startTime: '1' });
  const { host } = account({ files: { [`${DIRECTORY}/networks/netns.json`]: gone } });
  const refused = nest(host, request('--network', 'blue'), spec(FULL));
  assert.match(describe(refused._unsafeUnwrapErr()), /--network blue: .*Wants=berth-netns.service/);
});

void test('a dynamic user is told that it has no networks', () => {
  const { host } = account({ files: { [`${DIRECTORY}/networks/netns.json`]: '' } });
  Object.assign(host, { euid: 61200 });
  host.mkdirs('/run/berth/users/61200', 0o700);
  host.chown('/run/berth/users/61200', 61200, 61200);
  const refused = nest(host, request('--network', 'blue'), spec(FULL));
  assert.match(describe(refused._unsafeUnwrapErr()), /DynamicUser= has no networks; use User= of an account/);
});

void test('what carries the ports ends when netavark fails, and without ports there is none', () => {
  const signals: number[] = [];
  const one = account({
    run: ({ argv }) => (argv.includes('setup') ? { status: 1, stdout: '{"error":"no room"}' } : {}),
  });
  Object.assign(one.host, { signal: (_: number, signal: number) => signals.push(signal) > 0 });
  assert.equal(refusal(one.start('--network', 'blue', '--publish', '8080:80')), 'netavark setup: no room');
  assert.deepEqual(signals, [15]);
  const plain = account();
  plain.start('--network', 'blue')._unsafeUnwrap();
  assert.equal(plain.ran.length, 1);
});

const FIRST = '/run/berth/users/1000/containers/first';

/** Another container that was attached to `blue`, whose record may differ in `more`. */
function withFirst(uid: number, made: boolean, more: object = {}) {
  const one = account();
  const blue = one.host.readFile('/store/networks/blue.json');
  const told = { network_info: { blue: { ...(JSON.parse(blue) as object), ...more } } };
  const attachment = {
    bundle: FIRST,
    ports: [],
    networks: { blue: ['10.91.0.2'] },
    configuration: JSON.stringify(told),
    made,
  };
  const state = JSON.stringify({ version: 2, subnet: '10.88.0.0/16', attachments: { [FIRST]: attachment } });
  const files = { '/run/berth/networks/ipam.json': state, [`${DIRECTORY}/networks/ipam.json`]: state };
  const two = account({ uid, files: { ...files, [`${FIRST}/state.json`]: '{}' } });
  return two;
}

void test("a further container of an account's network leaves the rules as they are; root's has them looked at", () => {
  const firewall = (uid: number, made: boolean, more?: object): string | undefined => {
    const one = withFirst(uid, made, more);
    one.start('--network', 'blue')._unsafeUnwrap();
    return one.ran
      .find(({ argv }) => argv.includes('setup'))
      ?.environment?.find(word => word.startsWith('NETAVARK_FW='));
  };
  assert.equal(firewall(1000, true), 'NETAVARK_FW=none');
  assert.equal(firewall(1000, true, { options: { no_default_route: 'true' } }), 'NETAVARK_FW=none');
  // it was not set up to its end, or the network is another than then
  assert.equal(firewall(1000, false), 'NETAVARK_FW=nftables');
  assert.equal(firewall(1000, true, { subnets: [{ subnet: '10.92.0.0/24' }] }), 'NETAVARK_FW=nftables');
  assert.equal(firewall(0, true), 'NETAVARK_FW=nftables');
});

void test('who comes before the namespace waits for the word that it is made, or cannot be', () => {
  const path = `${DIRECTORY}/networks/netns.json`;
  const begin = (act: (host: ReturnType<typeof account>['host']) => void) => {
    const { host } = account({
      files: { [path]: '', '/run/user/1000/systemd/units/invocation:berth-netns.service': 'ab' },
    });
    const waits: (readonly number[])[] = [];
    const sockets = new Set<string>();
    Object.assign(host, {
      pid: 600,
      bindUnix: (name: string) => {
        host.writeFile(name, '', 0o600);
        sockets.add(name);
        return 45;
      },
      connectUnix: (name: string) => {
        assert.ok(sockets.has(name), name);
        return 46;
      },
      send: (fd: number) => waits.push([fd]),
      close: () => undefined,
      poll: (fds: readonly number[]) => {
        waits.push(fds);
        act(host);
        return fds;
      },
    });
    const made = nest(host, request('--network', 'blue'), spec(FULL));
    assert.deepEqual(host.list(`${DIRECTORY}/networks/waiting`), []);
    return { made, waits };
  };
  const there = begin(host => {
    host.writeFileAtomic(path, JSON.stringify(RECORD), 0o600);
    wakeWaiters(host);
  });
  assert.equal(there.made._unsafeUnwrap()?.user, '/proc/500/ns/user');
  assert.deepEqual(there.waits, [[45], [46]]);
  assert.match(describe(begin(wakeWaiters).made._unsafeUnwrapErr()), /is not there/);
});

void test('a start whose way out cannot be made fails, and its place is free', () => {
  const one = account();
  const path = `${DIRECTORY}/networks/netns.json`;
  Object.assign(one.host, {
    run: () => {
      one.host.unlink(path);
      return { status: 0, stdout: '{}', stderr: '' };
    },
  });
  assert.match(refusal(one.start('--network', 'blue')), /the network namespace of this account is not there/);
  assert.equal(one.host.readFile(`${DIRECTORY}/networks/ipam.json`).includes('10.91.0.2'), false);
});
