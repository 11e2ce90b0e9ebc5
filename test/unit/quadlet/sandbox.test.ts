import assert from 'node:assert/strict';
import { test } from 'node:test';
import { translate } from './translate-helpers.ts';

test('a capability that is added in [Container] and taken away in [Service] is refused by name', () => {
  const added = (lines: string): string[] => {
    const text = `[Container]\nImage=localhost/i\n${lines}\n[Service]\nCapabilityBoundingSet=~CAP_NET_RAW CAP_SYS_TIME\n`;
    const result = translate({ 'u.container': text }).get('u.container');
    return (result?.unit.problems ?? []).map(problem => `${problem.code} ${problem.message}; ${problem.hint ?? ''}`);
  };
  assert.deepEqual(added('AddCapability=CAP_CHOWN net_raw\nAddCapability=all'), [
    'sandbox `AddCapability=CAP_CHOWN net_raw` does not work: CapabilityBoundingSet= in [Service] takes CAP_NET_RAW away; leave CAP_NET_RAW in it',
  ]);
  assert.deepEqual(added('AddCapability=CAP_NET_RAW\nAddCapability=\nAddCapability=SYS_PTRACE'), []);
  assert.deepEqual(added('AddCapability=CAP_NET_RAW\nUserNS=auto'), []);
});
