import { PULL } from '../command/options-image.ts';
import { globalValue, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import { HostError, type Host } from '../host/host.ts';
import { BY_NODE } from '../host/native.ts';
import { ImageError } from '../image/error.ts';
import { parsePolicy } from '../image/pull/policy.ts';
import { pullUnchanged, type Pulled } from '../image/pull/unchanged.ts';
import { registryOptions } from '../image/registry/options.ts';
import { openStore } from '../image/store.ts';
import { storeMap } from '../image/store-map.ts';
import { unifiedPath, unitOfPath } from '../run/cgroup-path.ts';
import { pullForUnit } from '../run/fetch.ts';
import { commandLine } from './command-line.ts';
import { standAside } from './stand-aside.ts';
import { pulledJson } from './pulled-json.ts';

/**
 * `berth pull` of an image that is there and has not changed, which needs no Node. Everything else, and whatever goes wrong, is
 * pull-fetch.ts's: it begins anew.
 */
export function main(host: Host): number {
  const command = commandLine(host, PULL);
  if (typeof command === 'number') return command;
  const format = lastValue(command, 'format') ?? '';
  const [name, ...more] = command.operands;
  // Before the question: the child asks it.
  if (name !== undefined && more.length === 0 && format === '' && speaksForUnit(host, command))
    return pullForUnit(host, command, name, openStore(host, globalValue(command, 'root')));
  const pulled = ['', 'json', 'progress'].includes(format) ? unchanged(host, command) : undefined;
  // Starts wait for those of their own unit, and for those of .image units; what a person fetches has time.
  if (pulled === undefined) return format === 'progress' || ofService(host) ? BY_NODE : standAside(host);
  if (format === '') host.write(1, `${pulled.id}\n`);
  if (format === 'json') host.write(1, pulledJson([pulled]));
  return 0;
}

/** systemd gives its socket only to processes that it listens to; what they start inherits the variables. */
function speaksForUnit(host: Host, command: Command): boolean {
  const heard = (host.environment('NOTIFY_SOCKET') ?? '') !== '';
  return heard && host.environment('SYSTEMD_EXEC_PID') === String(host.pid) && !isSet(command, 'all-tags');
}

function ofService(host: Host): boolean {
  return unitOfPath(unifiedPath(host.readFile('/proc/self/cgroup')) ?? '').unit.endsWith('.service');
}

/** These make another question of it. */
const OTHERS = ['platform', 'os', 'arch', 'variant', 'decryption-key'];

function unchanged(host: Host, command: Command): Pulled | undefined {
  const [name, ...more] = command.operands;
  if (name === undefined || more.length > 0 || isSet(command, 'all-tags')) return undefined;
  if (OTHERS.some(option => lastValue(command, option) !== undefined)) return undefined;
  try {
    const store = openStore(host, globalValue(command, 'root'));
    storeMap(host);
    const policy = parsePolicy(lastValue(command, 'policy') ?? 'always');
    return pullUnchanged(host, store, name, policy, registryOptions(command));
  } catch (error) {
    if (error instanceof ImageError || error instanceof HostError) return undefined;
    throw error;
  }
}
