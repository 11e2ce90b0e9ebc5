import { SYSTEM_PRUNE } from '../command/options-admin.ts';
import { isSet } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';

/** `berth system prune`: one prune after the other, so that what the first leaves unused goes with the next. It goes on after one that fails. */
export function main(host: Host): number {
  const command = commandLine(host, SYSTEM_PRUNE);
  if (typeof command === 'number') return command;
  if (!isSet(command, 'force')) throw new Failure(125, 'system prune: say --force to remove all that nothing uses');
  const all = isSet(command, 'all') ? ['--all'] : [];
  const prunes: readonly (readonly [title: string, words: readonly string[]])[] = [
    ['Pods', ['pod', 'prune']],
    ['Containers', ['container', 'prune']],
    ['Networks', ['network', 'prune']],
    ...(isSet(command, 'volumes') ? [['Volumes', ['volume', 'prune', '--all']] as const] : []),
    ['Images', ['image', 'prune', ...all]],
  ];
  let worst = 0;
  for (const [title, words] of prunes) {
    const argv = ['/usr/bin/berth', ...words, '--force'];
    const streams = { stdout: 'capture', stderr: 'capture' } as const;
    const { status, stdout, stderr } = host.run({ argv, environment: host.environmentList(), ...streams });
    if (stdout !== '') host.write(1, `Deleted ${title}\n${stdout}`);
    for (const line of stderr.split('\n')) if (line !== '') say(host, line.replace(/^berth: /, ''));
    if (status !== 0) worst = 125;
  }
  return worst;
}
