import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { joinUsers } from '../../../src/run/join-users.ts';
import type { ContainerState } from '../../../src/run/state.ts';
import { parse } from '../plan/helpers.ts';
import { aState } from './state-fixture.ts';

const MAP = { uidMap: [[0, 1000, 1]], gidMap: [[0, 1000, 1]] } as const;

function host(uid: number, changes: Partial<ContainerState>): FakeHost {
  const runtime = uid === 0 ? '/run/berth' : `/run/user/${uid}/berth`;
  const files = { [`${runtime}/containers/web/state.json`]: JSON.stringify(aState(changes)) };
  const environment = { XDG_RUNTIME_DIR: `/run/user/${uid}` };
  const roots = fakeHost({ files });
  const lstat: FakeHost['lstat'] = path => {
    const found = roots.lstat(path);
    return found === undefined ? undefined : { ...found, uid };
  };
  return fakeHost({ uid, environment, files, calls: { lstat } });
}

test("an account's container has the users of the one whose namespaces it shares", () => {
  const one = host(1000, MAP);
  for (const option of ['network', 'pid', 'ipc', 'uts']) {
    const request = parse([[option, 'container:web']]);
    assert.deepEqual(joinUsers(one, request).userns, { kind: 'join', target: 'container:web' }, option);
  }
  assert.deepEqual(joinUsers(one, parse([['network', 'container:web']])).networks, ['container:web']);
});

test("it keeps users that it asks for, and of the host's network it has the host's", () => {
  const asks = parse([
    ['network', 'container:web'],
    ['userns', 'keep-id'],
  ]);
  assert.equal(joinUsers(host(1000, MAP), asks), asks);
  const request = parse([['network', 'container:web']]);
  assert.deepEqual(joinUsers(host(1000, { ...MAP, network: { kind: 'host' } }), request).networks, ['host']);
  assert.equal(joinUsers(host(1000, {}), request), request);
  assert.equal(joinUsers(host(0, MAP), request), request);
  const other = parse([['network', 'container:other']]);
  assert.equal(joinUsers(host(1000, MAP), other), other);
});
