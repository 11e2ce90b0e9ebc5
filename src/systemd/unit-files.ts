import type { ManagerBus, Request } from './bus.ts';

/** What the manager does with unit files: all of it may need a person's leave by polkit, as a job does. */

/** A reload runs every generator: it may take as long as they do. */
export async function reloadManager(bus: ManagerBus): Promise<void> {
  await bus.call({ member: 'Reload', timeout: 120_000, mayAsk: true });
}

/** Those of the manager's methods that make and remove links of one unit, in /etc. */
const CALLS: Readonly<Record<'enable' | 'disable' | 'mask' | 'unmask', (unit: string) => Request>> = {
  enable: unit => ({ member: 'EnableUnitFiles', signature: 'asbb', body: [[unit], false, false] }),
  disable: unit => ({ member: 'DisableUnitFiles', signature: 'asb', body: [[unit], false] }),
  mask: unit => ({ member: 'MaskUnitFiles', signature: 'asbb', body: [[unit], false, true] }),
  unmask: unit => ({ member: 'UnmaskUnitFiles', signature: 'asb', body: [[unit], false] }),
};

export async function changeLinks(bus: ManagerBus, what: keyof typeof CALLS, unit: string): Promise<void> {
  await bus.call({ ...CALLS[what](unit), mayAsk: true });
}
