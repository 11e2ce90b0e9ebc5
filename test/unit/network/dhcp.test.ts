import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaseAddress, leaseHint } from '../../../src/network/dhcp.ts';
import type { NetworkRecord } from '../../../src/network/records.ts';

void test('a container has the same hardware address in a network at each start, and no other has it', () => {
  const record = { id: 'ab'.repeat(32) } as NetworkRecord;
  const seen = new Set<string>();
  for (let number = 0; number < 200; number++) {
    const address = leaseAddress(record, `web${number}`);
    assert.match(address, /^02(:[0-9a-f]{2}){5}$/);
    assert.equal(leaseAddress(record, `web${number}`), address);
    seen.add(address);
  }
  assert.equal(seen.size, 200);
  assert.ok(!seen.has(leaseAddress({ ...record, id: 'cd'.repeat(32) }, 'web0')));
});

void test('what says that nobody keeps leases names the unit that does', () => {
  const failed = 'unable to obtain lease: ';
  assert.match(leaseHint(`${failed}socket "/run/podman/nv-proxy.sock": No such file`) ?? '', /dhcp-proxy\.socket/);
  assert.match(leaseHint(`${failed}dhcp proxy error: message: "Timeout: Timeout"`) ?? '', /no DHCP server answers/);
  assert.equal(leaseHint('no such device'), undefined);
});
