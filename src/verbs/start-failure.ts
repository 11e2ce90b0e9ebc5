import type { Host } from '../host/host.ts';
import { journalCommand } from '../systemd/journal-hint.ts';

/** What the unit's start said is in the journal; the last line of it is what the person must read. */
export function startFailure(
  host: Host,
  manager: 'system' | 'user',
  unit: string,
  result: string,
  began: number,
): string {
  // The journal may have the line a moment later, and tells no account when it has it.
  for (let tries = 0; tries < 40; tries++) {
    const line = lastLine(host, manager, unit, began);
    if (line !== '') return line.replace(/^berth: /, '');
    host.poll([], 50);
  }
  return `${unit}: the start failed (${result}); see ${journalCommand(manager, unit)}`;
}

function lastLine(host: Host, manager: 'system' | 'user', unit: string, began: number): string {
  const said = host.run({
    argv: [
      'journalctl',
      '--quiet',
      '--no-pager',
      '--output=cat',
      '--lines=1',
      `--since=@${began}`, // not what an earlier container of this name said
      '--identifier=' + unit.slice(0, -8),
    ].concat(manager === 'user' ? [`--user-unit=${unit}`] : [`--unit=${unit}`]),
    environment: host.environmentList(),
    stdout: 'capture',
    stderr: 'capture',
  });
  return said.stdout.trim().split('\n').at(-1) ?? '';
}
