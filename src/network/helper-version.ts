import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Host } from '../host/host.ts';
import type { NetworkState } from './ipam.ts';
import { helperPath } from './netavark.ts';

/**
 * netavark and aardvark-dns are asked for their versions by the first start after a boot and after an upgrade; others see in the state that they
 * are good, which costs a stat(2) each. 1.10 is the first with a driver for nftables. One that is not there is told of where it is needed.
 */
export function checkHelpers(host: Host, state: NetworkState): Result<NetworkState, Problem> {
  const paths = ['netavark', 'aardvark-dns'].flatMap(name => helperPath(host, name) ?? []);
  const helpers = paths.map(path => `${path} ${host.stat(path)?.size} ${host.stat(path)?.mtime}`).join();
  if (state.helpers === helpers) return ok(state);
  for (const path of paths) {
    const { said, age } = helperVersion(host, path);
    const line = `${path} has version '${said}': ${NEEDED}`;
    if (age === 'old') return err(problem('helper-old', line));
    if (age === 'strange') host.write(2, `berth: warning: ${line}\n`);
  }
  return ok({ ...state, helpers });
}

export const NEEDED = 'Berth needs 1.10 or a later 1.x';

/** What netavark or aardvark-dns says of itself, and whether it is one that Berth knows. */
export function helperVersion(host: Host, path: string): { said: string; age: 'known' | 'old' | 'strange' } {
  const argv = [path, '--version'];
  const said = host.run({ argv, environment: [], stdout: 'capture', timeout: 10_000 }).stdout.trim();
  const [, major, minor] = /(\d+)\.(\d+)/.exec(said)?.map(Number) ?? [];
  if ((major === 1 && (minor ?? 0) < 10) || major === 0) return { said, age: 'old' };
  return { said, age: major === 1 ? 'known' : 'strange' };
}
