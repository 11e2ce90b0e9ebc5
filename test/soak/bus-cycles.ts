/**
 * Runs in the machine: starts and stops a unit again and again over one connection, as a long-lived caller would. Neither match rules nor
 * descriptors may gather. Words: how many cycles, the unit.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connectBus, type ManagerBus } from '../../src/systemd/bus.ts';
import { runJob, type Line } from '../../src/systemd/jobs.ts';

const [cycles = 500, unit = 'cycles.service'] = [Number(process.argv[2]), process.argv[3]];
const system = { kind: 'system' } as const;

/** Rules of all connections, by the daemon's own count. */
function matchRules(): number {
  const ask = ['org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus.Debug.Stats', 'GetStats'];
  const count = /"MatchRules" u (\d+)/.exec(execFileSync('busctl', ['call', ...ask], { encoding: 'utf8' }))?.[1];
  if (count === undefined || count === '0') throw new Error('the bus does not tell its match rules');
  return Number(count);
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

async function main(): Promise<void> {
  const again = (): Promise<ManagerBus> => connectBus(system, false);
  const line: Line = { bus: await again(), again };
  const cycle = async (): Promise<void> => {
    for (const verb of ['StartUnit', 'StopUnit'] as const) {
      const result = await runJob(line, verb, unit);
      if (result !== 'done') throw new Error(`${verb}: ${result}`);
    }
  };
  await cycle();
  const before = { rules: matchRules(), descriptors: descriptors() };
  for (let i = 0; i < cycles; i++) await cycle();
  const after = { rules: matchRules(), descriptors: descriptors() };
  console.log(`${cycles} cycles; before: ${JSON.stringify(before)}; after: ${JSON.stringify(after)}`);
  line.bus.close();
  process.exitCode = before.rules === after.rules && before.descriptors === after.descriptors ? 0 : 1;
}

await main();
