import type { Host } from '../host/host.ts';
import { Failure } from './failure.ts';

/** https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config.md#posix-platform-hooks */
export interface Hook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

export type Hooks = Readonly<Record<string, readonly Hook[] | undefined>>;

/** Hooks that run inside the container's namespaces: the stage has no such operation. */
const REFUSED = ['createContainer', 'startContainer'];

/** The hooks of a bundle; empty when its configuration is gone. */
export function hooksOf(host: Host, bundle: string): Hooks {
  const text = host.readFileIfExists(`${bundle}/config.json`);
  return text === undefined ? {} : ((JSON.parse(text) as { hooks?: Hooks }).hooks ?? {});
}

export function refuseHooks(hooks: Hooks): void {
  for (const name of REFUSED) {
    if ((hooks[name] ?? []).length > 0)
      throw new Failure(1, `hooks.${name}: hooks inside the container are not supported`);
  }
}

/** Runs the hooks of one point in order, the state on their standard input. A failing one is an error before the start, a warning after it. */
export function runHooks(host: Host, point: string, hooks: Hooks, state: string): void {
  for (const hook of hooks[point] ?? []) {
    const end = host.run({
      argv: [hook.path, ...(hook.args ?? []).slice(1)],
      environment: hook.env ?? [],
      input: state,
      stderr: 'inherit',
      ...(hook.timeout === undefined ? {} : { timeout: hook.timeout * 1000 }),
    });
    if (end.status === 0) continue;
    const text = `hook ${hook.path} (${point}) ended with ${end.status === undefined ? `signal ${end.signal ?? 0}` : `status ${end.status}`}`;
    if (!point.startsWith('post')) throw new Failure(1, text);
    host.write(2, `berth: warning: ${text}\n`);
  }
}
