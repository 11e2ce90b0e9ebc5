import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManagerBus, Request } from '../../../src/systemd/bus.ts';
import { changeLinks, reloadManager } from '../../../src/systemd/unit-files.ts';

test('a person has time for polkit in everything that is done with unit files', async () => {
  const calls: Request[] = [];
  const bus: ManagerBus = {
    call: request => {
      calls.push(request);
      return Promise.resolve([]);
    },
    listen: () => () => undefined,
    ended: new Promise<never>(() => undefined),
    close: () => undefined,
  };
  for (const what of ['enable', 'disable', 'mask', 'unmask'] as const) await changeLinks(bus, what, 'web.service');
  await reloadManager(bus);
  assert.deepEqual(
    calls.map(({ member, mayAsk }) => [member, mayAsk]),
    ['EnableUnitFiles', 'DisableUnitFiles', 'MaskUnitFiles', 'UnmaskUnitFiles', 'Reload'].map(name => [name, true]),
  );
});
