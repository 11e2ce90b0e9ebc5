import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerState } from '../../../src/run/state.ts';
import { renewResolvers, type ResolverRecord } from '../../../src/network/resolvers.ts';
import { aState } from '../run/state-fixture.ts';
import { setting } from './setting.ts';

const OLD = 'nameserver 192.0.2.1\n';
const NEW = 'search example.org\nnameserver 198.51.100.1\n';
const RESOLVER: ResolverRecord = {
  wishes: { dns: [], dnsSearch: [], dnsOptions: [] },
  connection: { mode: 'pasta', nameservers: ['169.254.1.1'] },
  target: '192.0.2.1',
  text: 'nameserver 169.254.1.1\nnameserver 192.0.2.1\n',
};

/** A host whose resolvers are `etc`, with one container. */
function at(etc: string, changes: Partial<ResolverRecord> = {}, inside?: string) {
  const resolver = { ...RESOLVER, ...changes };
  const bundle = '/run/berth/containers/web';
  const one = setting({
    uid: 0,
    files: {
      '/etc/resolv.conf': etc,
      [`${bundle}/resolv.conf`]: inside ?? resolver.text,
      [`${bundle}/state.json`]: JSON.stringify(aState({ network: { kind: 'pasta', resolver } })),
    },
  });
  const renew = () => [renewResolvers(one.host, '/store'), one.host.readFile(`${bundle}/resolv.conf`)];
  return { ...one, renew };
}

void test('the resolvers of the host stay: nothing is written', () => {
  assert.deepEqual(at(OLD).renew(), [[], RESOLVER.text]);
});

void test("new resolvers take the place of the old ones and of pasta's, which forwards to an old one; and come back with them", () => {
  const one = at(NEW);
  assert.deepEqual(one.renew(), [['web'], NEW]);
  assert.deepEqual(one.renew(), [[], NEW]);
  one.host.writeFile('/etc/resolv.conf', OLD);
  assert.deepEqual(one.renew(), [['web'], RESOLVER.text]);
});

void test('resolvers of the host alone are no way for a container: what pasta forwards to stays', () => {
  assert.deepEqual(at('nameserver 127.0.0.1\n').renew(), [['web'], 'nameserver 169.254.1.1\n']);
});

void test('what the container has changed itself, asked for, or has of its network stays', () => {
  assert.deepEqual(at(NEW, {}, '# mine\n').renew(), [[], '# mine\n']);
  const given = { wishes: { dns: ['192.0.2.9'], dnsSearch: ['.'], dnsOptions: [] }, text: 'nameserver 192.0.2.9\n' };
  assert.deepEqual(at(NEW, given).renew(), [[], given.text]);
  const own = {
    connection: { mode: 'bridge', nameservers: ['10.89.0.1'], search: ['dns.podman'], ownResolver: true },
    text: 'search dns.podman\nnameserver 10.89.0.1\n',
  };
  assert.deepEqual(at(OLD, own).renew(), [[], own.text]);
});

void test('a container that another one replaces meanwhile: who comes first makes the other wait, and nothing of the new one is lost', () => {
  const one = at(NEW);
  const bundle = '/run/berth/containers/web';
  const lock = one.host.lock.bind(one.host);
  let tries = 0;
  one.host.lock = (path, exclusive, wait) => {
    assert.equal(path, '/store/locks/container-web');
    // A start has the lock, and has written its state when it gives it back.
    if (++tries === 1 && !wait) return undefined;
    const next = aState({ id: 'ef'.repeat(32), network: { kind: 'pasta', resolver: RESOLVER } });
    one.host.writeFile(`${bundle}/state.json`, JSON.stringify(next));
    return lock(path, exclusive, wait);
  };
  assert.deepEqual(one.renew(), [['web'], NEW]);
  assert.equal(tries, 2);
  const { id, network } = JSON.parse(one.host.readFile(`${bundle}/state.json`)) as ContainerState;
  assert.equal(id, 'ef'.repeat(32));
  assert.deepEqual(network.resolver, { ...RESOLVER, text: NEW });
});

void test('a container that goes meanwhile is not brought back', () => {
  const one = at(NEW);
  const lock = one.host.lock.bind(one.host);
  one.host.lock = (path, exclusive, wait) => {
    one.host.removeTree('/run/berth/containers/web');
    return lock(path, exclusive, wait);
  };
  assert.deepEqual(renewResolvers(one.host, '/store'), []);
  assert.equal(one.host.lstat('/run/berth/containers/web'), undefined);
});
