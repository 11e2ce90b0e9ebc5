import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movedHosts } from '../../../src/network/etc-files.ts';
import { HostError } from '../../../src/host/host.ts';
import type { Attachment } from '../../../src/network/ipam.ts';
import { gatewaysOf, hostMove, moveFiles, withNames, withoutNames } from '../../../src/network/joined-files.ts';
import type { NetworkRecord } from '../../../src/network/records.ts';
import type { ResolverRecord } from '../../../src/network/resolvers.ts';
import type { ContainerState } from '../../../src/run/state.ts';
import { aState } from '../run/state-fixture.ts';
import { request, setting } from './setting.ts';
import { setUp } from '../../../src/network/network.ts';
import { PLACE, refusal } from './setting.ts';

const HOSTS = '127.0.0.1\tlocalhost\n10.88.0.1\thost.containers.internal\n192.0.2.7\tbox\n10.88.0.2\tweb\n';
const MOVE = { own: ['10.88.0.2'], added: [], removed: [], lost: [], names: ['box', 'web'] };

void test('hosts: the addresses of a network come and go, and the host is where it is reached', () => {
  const joined = movedHosts(HOSTS, { ...MOVE, added: ['10.89.0.5', 'fd00::5'] });
  assert.equal(joined, `${HOSTS}10.89.0.5\tweb\nfd00::5\tbox web\n`);
  const own = ['10.88.0.2', '10.89.0.5', 'fd00::5'];
  assert.equal(movedHosts(joined, { ...MOVE, own, removed: ['10.89.0.5', 'fd00::5'] }), HOSTS);
  const left = movedHosts(joined, { ...MOVE, own, removed: ['10.88.0.2'], lost: ['10.88.0.1'], gateway: '10.89.0.1' });
  const stays = '192.0.2.7\tbox\n10.89.0.5\tweb\nfd00::5\tbox web\n';
  assert.equal(left, `127.0.0.1\tlocalhost\n10.89.0.1\thost.containers.internal\n${stays}`);
  // A line of the container's own with that address stays, and so does one without an end.
  assert.equal(movedHosts('10.88.0.2 mine', { ...MOVE, removed: ['10.88.0.2'] }), '10.88.0.2 mine\n');
});

void test('hosts: the host is in a network that the container is in, and nowhere without one', () => {
  const at = (gateway?: string): Attachment => {
    const subnets = [{ subnet: '10.0.0.0/8', ...(gateway === undefined ? {} : { gateway }) }];
    return { configuration: JSON.stringify({ network_info: { n: { subnets } } }) } as Attachment;
  };
  const [a, b, leased] = [at('10.88.0.1'), at('10.89.0.1'), at()];
  const moved = (text: string, before: Attachment[], after: Attachment[]): string =>
    written(text, [...before, ...after], after);
  const written = (text: string, changed: Attachment[], now: Attachment[]): string =>
    movedHosts(text, { ...MOVE, ...hostMove(text, gatewaysOf(changed), gatewaysOf(now)), hostNames: ['up'] });
  const asked = `10.88.0.1\tup\n192.0.2.9\tdb\n${HOSTS}`;
  const none = moved(asked, [a], []);
  assert.equal(none, '192.0.2.9\tdb\n127.0.0.1\tlocalhost\n192.0.2.7\tbox\n10.88.0.2\tweb\n');
  assert.equal(moved(none, [], [b]), `${none}10.89.0.1\thost.containers.internal host.docker.internal up\n`);
  assert.equal(moved(none, [leased], [leased, b]), moved(none, [], [b]));
  assert.equal(moved(asked, [a, b], [b]), asked.replaceAll('10.88.0.1', '10.89.0.1'));
  // One that is left and one that is joined at once, written in either order.
  for (const [first, second] of [
    [[a], [b]],
    [[b], [a]],
  ] as const)
    assert.equal(written(written(asked, [...first], [b]), [...second], [b]), moved(asked, [a, b], [b]));
  // Another one changes nothing, nor does one without a gateway; and what the names mean by the container's own will stays.
  assert.equal(moved(HOSTS, [a], [a, b]), HOSTS);
  assert.equal(moved(HOSTS, [a, leased], [a]), HOSTS);
  const own = '192.0.2.3 host.containers.internal host.docker.internal up\n10.88.0.1 mine\n';
  assert.equal(moved(moved(own, [a], []), [], [b]), own);
});

const named = (subnet: string): NetworkRecord => ({ subnets: [{ subnet }] }) as unknown as NetworkRecord;
const ANSWER = { nameservers: ['10.89.0.1'], search: ['dns.podman'], addresses: [] };

void test('servers of names come with a network and go with it', () => {
  const before = { mode: 'bridge', nameservers: [] };
  const one = withNames(before, ANSWER);
  assert.deepEqual(one, { ...before, nameservers: ['10.89.0.1'], search: ['dns.podman'], ownResolver: true });
  const two = withNames(one, { ...ANSWER, nameservers: ['10.90.0.1'] });
  assert.deepEqual(two.nameservers, ['10.89.0.1', '10.90.0.1']);
  assert.deepEqual(withoutNames(two, named('10.89.0.0/24'), true).nameservers, ['10.90.0.1']);
  assert.deepEqual(withoutNames(one, named('10.89.0.0/24'), true), before);
  // An account's networks ask pasta.
  assert.deepEqual(withoutNames(one, named('10.89.0.0/24'), false).nameservers, ['169.254.1.1']);
  assert.equal(withoutNames(one, named('10.77.0.0/24'), true).ownResolver, true);
});

const TEXT = 'search example.org\nnameserver 192.0.2.1\n';
const NAMES = 'search dns.podman example.org\nnameserver 10.89.0.1\n';

function running(resolvConf = TEXT) {
  const resolver: ResolverRecord = {
    wishes: { dns: [], dnsSearch: [], dnsOptions: [] },
    connection: { mode: 'bridge', nameservers: [] },
    target: '192.0.2.1',
    text: TEXT,
  };
  const state = (name: string, pid: number, kind: string): ContainerState =>
    aState({ name, pid, network: { kind, resolver } });
  // Its address is a lease: no attachment knows it.
  const trie = '  |-- 10.88.0.2\n     /32 host LOCAL\n';
  const files: Record<string, string> = { '/etc/resolv.conf': TEXT, '/proc/77/net/fib_trie': trie };
  for (const [name, pid, kind] of [
    ['web', 77, 'bridge'],
    ['side', 78, 'container'],
    ['other', 79, 'container'],
  ] as const) {
    const bundle = `/run/berth/containers/${name}`;
    files[`${bundle}/hosts`] = HOSTS;
    files[`${bundle}/hostname`] = 'db\n';
    files[`${bundle}/config.json`] = JSON.stringify({ hostname: 'box' });
    files[`${bundle}/resolv.conf`] = name === 'web' ? resolvConf : TEXT;
    files[`${bundle}/state.json`] = JSON.stringify(state(name, pid, kind));
  }
  const one = setting({ uid: 0, files });
  one.host.readlink = path => (path === '/proc/79/ns/net' ? 'net:[2]' : 'net:[1]');
  const web = { name: 'web', bundle: '/run/berth/containers/web', state: state('web', 77, 'bridge') };
  const join = () =>
    moveFiles(one.host, '/store', web, {
      move: { added: ['10.89.0.5', 'fd00::5'], removed: [], gateways: [] },
      connection: before => withNames(before, ANSWER),
    });
  const read = (name: string, file: string): string => one.host.readFile(`/run/berth/containers/${name}/${file}`);
  return { ...one, join, read };
}

void test('a running container has the names of a network that it joins, and so has who shares its network', () => {
  const one = running();
  one.join();
  for (const name of ['web', 'side']) {
    assert.equal(one.read(name, 'resolv.conf'), NAMES);
    // By the host name of its start, not by the file, which is the container's to write.
    assert.equal(one.read(name, 'hosts'), `${HOSTS}10.89.0.5\tweb\nfd00::5\tbox web\n`);
    const { network } = JSON.parse(one.read(name, 'state.json')) as ContainerState;
    assert.equal((network.resolver as ResolverRecord).text, NAMES);
  }
  assert.equal(one.read('other', 'resolv.conf'), TEXT);
  assert.equal(one.read('other', 'hosts'), HOSTS);
});

void test('files of one container that cannot be written are a warning, and the others have theirs', () => {
  const one = running();
  const read = one.host.readFileIfExists.bind(one.host);
  one.host.readFileIfExists = (path, limit) => {
    if (path === '/run/berth/containers/web/hosts') throw new HostError('read', 'EFBIG', 27, 'file too large', path);
    return read(path, limit);
  };
  const said: string[] = [];
  one.host.write = (_, text) => said.push(String(text));
  one.join();
  assert.equal(said.length, 1);
  assert.match(said.join(''), /^berth: warning: web: .*too large/);
  assert.equal(one.read('web', 'resolv.conf'), NAMES);
  assert.match(one.read('side', 'hosts'), /^10\.89\.0\.5\tweb$/m);
});

void test('what it has changed itself stays', () => {
  const one = running('# mine\n');
  one.join();
  assert.equal(one.read('web', 'resolv.conf'), '# mine\n');
  assert.equal(one.read('side', 'resolv.conf'), NAMES);
});

void test("host-gateway of who shares another's network is the host as that one reaches it", () => {
  const one = running();
  const asked = request('--network', 'container:web', '--add-host', 'up:host-gateway', '--add-host', 'db:192.0.2.9');
  one.host.mkdirs('/run/berth/containers/third', 0o700);
  const place = { ...PLACE, uid: 0, bundle: '/run/berth/containers/third', name: 'third' };
  setUp(one.host, asked, place)._unsafeUnwrap();
  assert.ok(one.read('third', 'hosts').startsWith(`10.88.0.1\tup\n192.0.2.9\tdb\n${HOSTS}`));
  one.host.writeFile('/run/berth/containers/web/hosts', '127.0.0.1 localhost\n');
  assert.equal(
    refusal(setUp(one.host, asked, place)),
    '--add-host up:host-gateway: no address of the host is known in this network; give the address',
  );
});
