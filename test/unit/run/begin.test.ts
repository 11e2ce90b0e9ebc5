import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { begin } from '../../../src/run/begin.ts';
import { makeUndo } from '../../../src/run/undo.ts';

void test('a unit whose volume is being filled says so until the copy is made, or has failed', () => {
  for (const end of ['at created', 'fail copy 28 /v: no space left on device']) {
    const told: string[] = [];
    const messages = ['at outside', end];
    const host = fakeHost({
      calls: {
        launch: () => ({ pid: 99, pidfd: 40, control: 42, status: 43 }),
        receiveMessage: () => ({ message: messages.shift() ?? '', fds: [] }),
        proceed: () => undefined,
        signal: () => true,
        poll: () => [],
        notify: text => told.push(text) > 0,
      },
    });
    const streams = { stdio: ['null', 'null', 'null'], closePayloadEnds: () => undefined } as const;
    const spec = { linux: {} } as Parameters<typeof begin>[1]['spec'];
    const outside = { uidMap: [], gidMap: [] };
    const request = { spec, ops: [], descriptors: [], sibling: false, group: '', streams, outside, fresh: ['data'] };
    const start = () => begin(host, request, makeUndo());
    if (end === 'at created') start();
    else assert.throws(start, /no space left/);
    assert.deepEqual(told.length, 2);
    assert.match(told[0] ?? '', /^STATUS=Filling volume data\n/);
    assert.equal(told[1], 'STATUS=');
  }
});
