import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpawnRequest } from '../../../src/host/host.ts';
import { hasOwnWayOut } from '../../../src/network/account-bridge.ts';
import { tearDown } from '../../../src/network/network.ts';
import type { ResolverRecord } from '../../../src/network/resolvers.ts';
import { account, DIRECTORY } from './account-setting.ts';
import { PLACE, refusal } from './setting.ts';

void test('netavark runs in the namespace and publishes nothing; published ports have a program of ours', () => {
  const one = account();
  const state = one
    .start('--network', 'blue', '--publish', '8080-8081:80-81', '--publish', '[::1]:90:90')
    ._unsafeUnwrap();
  const [carrier, netavark] = one.ran;
  assert.deepEqual(carrier?.argv, [
    ...['/usr/lib/berth/ports', '77', '/proc/77/ns/user', '/proc/77/ns/net'],
    ...['8080-8081:80', '::1/90-90:90'],
  ]);
  assert.match(
    netavark?.argv.join(' ') ?? '',
    /^\/usr\/bin\/nsenter --user=\/proc\/500\/ns\/user --net=.* --rootless true /,
  );
  const told = toldTo(netavark);
  assert.deepEqual(told.port_mappings, []);
  assert.deepEqual(told.networks.blue.static_ips, ['10.91.0.2']);
  assert.equal(told.network_info.blue.options, undefined);
  assert.match(one.file('hosts'), /^10\.91\.0\.2\tweb$/m);
  // netavark named no server: the one that pasta answers for is asked before the host's
  assert.match(one.file('resolv.conf'), /^nameserver 169\.254\.1\.1\nnameserver 192\.0\.2\.53$/m);
  assert.match(one.file('hosts'), /^169\.254\.1\.2\thost\.containers\.internal/m);
  const process = { pid: 500, startTime: '12345' };
  const { resolver, ...rest } = state;
  assert.deepEqual(rest, {
    kind: 'bridge',
    data: { bundle: PLACE.bundle, networks: ['blue'], carrier: process },
    process,
  });
  assert.equal(hasOwnWayOut({ network: state }), false);
  assert.equal((resolver as ResolverRecord).text, one.file('resolv.conf'));
  assert.ok(tearDown(one.host, state).isOk());
  assert.equal(one.host.readFile(`${DIRECTORY}/networks/ipam.json`).includes('10.91.0.2'), false);
});

const toldTo = (netavark: { readonly input?: unknown } | undefined) =>
  JSON.parse(String(netavark?.input)) as {
    port_mappings: unknown[];
    networks: { blue: { static_ips: string[] } };
    network_info: { blue: { options: unknown } };
  };

void test('ports that are not all of TCP, or a host where ours cannot be, have pasta; netavark sets no default route beside its', () => {
  const refuses = ({ argv }: SpawnRequest) => (argv[0] === '/usr/lib/berth/ports' ? { status: 2 } : {});
  const mixed = account();
  const impossible = account({ run: refuses });
  const states = [
    mixed.start('--network', 'blue', '--publish', '8080:80', '--publish', '8080:80/udp')._unsafeUnwrap(),
    impossible.start('--network', 'blue', '--publish', '8080:80')._unsafeUnwrap(),
  ];
  for (const [i, one] of [mixed, impossible].entries()) {
    const [pasta, netavark] = one.ran.slice(i);
    assert.match(
      pasta?.argv.join(' ') ?? '',
      /^pasta --config-net --ns-ifname host0 .*-t 8080-8080:80-80 .*--netns \/proc\/77\/ns\/net$/,
    );
    assert.deepEqual(toldTo(netavark).network_info.blue.options, { no_default_route: 'true' });
    const state = states[i];
    assert.ok(state !== undefined && hasOwnWayOut({ network: state }));
    assert.deepEqual(state.process, { pid: 500, startTime: '12345' });
  }
});

void test('why a port cannot be published is one line', () => {
  const line = (stderr: string, ...words: string[]) =>
    refusal(account({ run: () => ({ status: 1, stderr }) }).start('--network', 'blue', ...words));
  const privileged = line('ports: port 80: Permission denied\n', '--publish', '80:80');
  assert.match(privileged, /^port 80 may not be published by this account; use a port from net.ipv4/);
  const raced = line('ports: port 8081: Address already in use\n', '--publish', '8080-8081:80-81');
  assert.equal(raced, 'port 8081/tcp is in use');
  const strange = line('ports: port 8080: Cannot assign requested address\n', '--publish', '192.0.2.77:8080:80');
  assert.equal(strange, 'port 8080: 192.0.2.77 is no address of this host');
  const either = ['--publish', '127.0.0.1:8080:80', '--publish', '192.0.2.77:8080:80'];
  assert.equal(
    line('ports: port 8080: Cannot assign requested address\n', ...either),
    'port 8080: 127.0.0.1 or 192.0.2.77 is no address of this host',
  );
  assert.equal(
    line('ports: port 8081: Too many open files\n', '--publish', '8080-8081:80-81'),
    'ports: port 8081: Too many open files',
  );
  assert.equal(line('ports: setns /proc/77/ns/user: x\n', '--publish', '1:1'), 'ports: setns /proc/77/ns/user: x');
  const missing = account({ missing: true }).start('--network', 'blue', '--publish', '8080:80');
  assert.equal(refusal(missing), '/usr/lib/berth/ports is missing; install the package berth again');
});
