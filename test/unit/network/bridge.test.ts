import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpawnRequest } from '../../../src/host/host.ts';
import { setUp, tearDown } from '../../../src/network/network.ts';
import type { ResolverRecord } from '../../../src/network/resolvers.ts';
import { PLACE, refusal, request, setting } from './setting.ts';

const configurationOf = (asked?: SpawnRequest): unknown => JSON.parse(String(asked?.input ?? '{}'));

void test('root has a bridge: netavark is told address, ports and names', () => {
  const one = setting({ uid: 0 });
  const state = one.start('--publish', '8080:80', '--network-alias', 'www')._unsafeUnwrap();
  const { resolver, ...rest } = state;
  assert.deepEqual(rest, { kind: 'bridge', data: { bundle: PLACE.bundle, networks: ['berth'] } });
  assert.equal((resolver as ResolverRecord).text, one.file('resolv.conf'));
  const words = one.ran[0]?.argv.slice(1).join(' ');
  assert.equal(
    words,
    '--config /run/berth/networks --rootless false --aardvark-binary /usr/lib/berth/start-names setup /proc/77/ns/net',
  );
  const told = configurationOf(one.ran[0]) as {
    port_mappings: unknown;
    networks: { berth: { static_ips: string[]; aliases: string[] } };
    network_info: { berth: { network_interface: string; subnets: unknown } };
  };
  assert.deepEqual(told.port_mappings, [
    { host_ip: '', container_port: 80, host_port: 8080, range: 1, protocol: 'tcp' },
  ]);
  assert.deepEqual(told.networks.berth.static_ips, ['10.88.0.2']);
  assert.deepEqual(told.networks.berth.aliases, ['www']);
  assert.equal(told.network_info.berth.network_interface, 'berth0');
  assert.deepEqual(told.network_info.berth.subnets, [{ subnet: '10.88.0.0/16', gateway: '10.88.0.1' }]);
  assert.match(one.file('hosts'), /^10\.88\.0\.2\tweb$/m);
  assert.match(one.file('hosts'), /^10\.88\.0\.1\thost\.containers\.internal/m);
});

void test('a published port of another container is in use, even where no program listens', () => {
  const one = setting({ uid: 0 });
  one.start('--publish', '8080:80')._unsafeUnwrap();
  one.host.mkdirs('/run/berth/containers/other', 0o700);
  const second = setUp(one.host, request('--publish', '127.0.0.1:8080:80'), {
    ...PLACE,
    bundle: '/run/berth/containers/other',
    name: 'other',
    uid: 0,
  });
  assert.equal(refusal(second), 'port 8080/tcp is in use by container web');
});

void test('all addresses of one family are not those of the other', () => {
  const clash = (first: string, second: string): boolean => {
    const one = setting({ uid: 0 });
    one.start('--publish', first)._unsafeUnwrap();
    one.host.mkdirs('/run/berth/containers/other', 0o700);
    const place = { ...PLACE, bundle: '/run/berth/containers/other', name: 'other', uid: 0 };
    return setUp(one.host, request('--publish', second), place).isErr();
  };
  assert.ok(!clash('0.0.0.0:8080:80', '[::]:8080:80'));
  assert.ok(!clash('[::]:8080:80', '127.0.0.1:8080:80'));
  for (const other of ['8080:80', '127.0.0.1:8080:80']) assert.ok(clash('0.0.0.0:8080:80', other), other);
  for (const other of ['8080:80', '[::1]:8080:80']) assert.ok(clash(other, '[::]:8080:80'), other);
});

void test('a setup that fails leaves no lease, and its error is one line', () => {
  const one = setting({
    uid: 0,
    run: ({ argv }) => (argv.includes('setup') ? { status: 1, stdout: '{"error":"no\\nroom"}' } : {}),
  });
  assert.equal(refusal(one.start()), 'netavark setup: no room');
  const { helpers: _, ...rest } = JSON.parse(one.host.readFile('/run/berth/networks/ipam.json')) as { helpers: string };
  assert.deepEqual(rest, {
    version: 2,
    subnet: '10.88.0.0/16',
    attachments: {},
  });
});

void test('who waits for a server on the wire keeps nobody from networks, and does not wait twice', () => {
  const wire = {
    name: 'wire',
    id: 'ab'.repeat(32),
    driver: 'macvlan',
    network_interface: 'mv0',
    subnets: [],
    routes: [],
  };
  const place = { ...PLACE, bundle: '/run/berth/containers/other', name: 'other', uid: 0 };
  for (const fails of [false, true]) {
    const one = setting({
      uid: 0,
      files: {
        '/store/networks/wire.json': JSON.stringify({ ...wire, options: {}, ipam_options: { driver: 'dhcp' } }),
      },
      run({ argv, input }) {
        if (!argv.includes('setup') || !String(input).includes('"wire"')) return {};
        setUp(one.host, request(), place)._unsafeUnwrap();
        return fails ? { status: 1, stdout: '{"error":"unable to obtain lease: Timeout"}' } : {};
      },
    });
    one.host.mkdirs(place.bundle, 0o700);
    assert.equal(one.start('--network', 'wire').isErr(), fails);
    const { attachments } = JSON.parse(one.host.readFile('/run/berth/networks/ipam.json')) as { attachments: object };
    assert.deepEqual(Object.keys(attachments), fails ? [place.bundle] : [PLACE.bundle, place.bundle]);
    const asked = one.ran.filter(({ argv, input }) => argv.includes('setup') && String(input).includes('"wire"'));
    assert.equal(asked.length, 1);
  }
});

void test('the way down tells netavark the same, gives the address back, and may be gone twice', () => {
  const one = setting({ uid: 0 });
  const state = one.start('--publish', '8080:80')._unsafeUnwrap();
  assert.ok(tearDown(one.host, state).isOk());
  const last = one.ran.at(-1);
  assert.ok(last?.argv.includes('teardown'));
  assert.equal(last?.input, one.ran[0]?.input);
  const count = one.ran.length;
  assert.ok(tearDown(one.host, state).isOk());
  assert.equal(one.ran.length, count);
});

void test('what a crash left is taken down by the next start', () => {
  const one = setting({ uid: 0 });
  one.start()._unsafeUnwrap();
  const before = one.ran.length;
  const again = one.start()._unsafeUnwrap();
  assert.deepEqual(again.data, { bundle: PLACE.bundle, networks: ['berth'] });
  const since = one.ran.slice(before).map(({ argv }) => argv.at(-2));
  assert.deepEqual(since, ['setup', 'teardown', 'setup']);
});

void test('an address that was asked for must be free and in the network', () => {
  const asks = (ip: string) => setting({ uid: 0 }).start('--network', 'bridge', '--ip', ip);
  assert.ok(asks('10.88.3.4').isOk());
  assert.match(refusal(asks('10.89.3.4')), /--ip 10\.89\.3\.4: .*not in 10\.88\.0\.0\/16/);
  assert.match(refusal(asks('10.88.0.1')), /not in/);
});
