import { NETWORK_CREATE_VERB, NETWORK_RM_VERB } from '../command/verb-names.ts';
import type { OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import { preparedAccount } from './account.ts';
import { failAt, type Draft, type Setting, type Unit } from './model.ts';
import { optionsOf } from './options.ts';
import { readBoolean, readList, readScalar } from './read.ts';
import { argumentWords, commandBase, commandLine, oneShot } from './service.ts';
import { defaultResource } from './volume.ts';

export function networkName(unit: Unit): Bytes {
  return readScalar(unit, 'NetworkName') ?? defaultResource(unit.name);
}

/** `[Network]` */
export function translateNetwork(unit: Unit, draft: Draft, setting: Setting): void {
  const base = commandBase(unit, setting);
  const name = networkName(unit);
  const options: OptionUse[] = [{ name: 'ignore', value: 'true', form: 'flag' }, ...optionsOf(unit, {})];
  options.push(...subnets(unit));
  oneShot(unit, draft, true);
  preparedAccount(unit, draft, setting);
  const command = { options, optionWords: argumentWords(unit), operands: [name] };
  draft.lines.push(`ExecStart=${commandLine(base, NETWORK_CREATE_VERB, command)}`);
  if (readBoolean(unit, 'NetworkDeleteOnStop') === true) {
    draft.lines.push(`ExecStopPost=${commandLine(base, NETWORK_RM_VERB, { options: [], operands: [name] })}`);
  }
}

/** Gateways and ranges belong to the subnet of the same position. */
function subnets(unit: Unit): OptionUse[] {
  const nets = readList(unit, 'Subnet');
  const gateways = readList(unit, 'Gateway');
  const ranges = readList(unit, 'IPRange');
  for (const [items, what] of [
    [gateways, 'gateways'],
    [ranges, 'ranges'],
  ] as const) {
    const extra = items[nets.length];
    if (extra === undefined) continue;
    const message =
      nets.length > 0 ? `cannot set more ${what} than subnets` : 'cannot set gateway or range without subnet';
    failAt(unit, extra.entry, 'subnet', message, { hint: 'add a Subnet= for each' });
  }
  return nets.flatMap((net, i) => {
    const uses: OptionUse[] = [{ name: 'subnet', value: net.value }];
    const gateway = gateways[i];
    const range = ranges[i];
    if (gateway !== undefined) uses.push({ name: 'gateway', value: gateway.value });
    if (range !== undefined) uses.push({ name: 'ip-range', value: range.value });
    return uses;
  });
}
