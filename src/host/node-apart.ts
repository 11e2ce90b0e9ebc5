import { spawn, type ChildProcess } from 'node:child_process';

/** Node has no execve(2) and no fork(2): thrown up to the edge of the program, which then does nothing but standFor(). */
export class StandFor extends Error {
  readonly program: string;
  readonly words: readonly string[];
  readonly environment: NodeJS.ProcessEnv;

  constructor(program: string, words: readonly string[], environment: NodeJS.ProcessEnv) {
    super(`${program} was to take our place`);
    this.program = program;
    this.words = words;
    this.environment = environment;
  }
}

const HANDED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGWINCH', 'SIGUSR2'] as const;

/** As stand_apart() of native/apart.c: the program runs in a session of its own, gets our signals, and we end as it ends. */
export function standFor({ program, words, environment }: StandFor): Promise<number> {
  return new Promise((resolve, reject) => {
    let child: ChildProcess | undefined = undefined;
    const hand = (signal: NodeJS.Signals): void => void child?.kill(signal);
    // First this: what comes meanwhile waits for us.
    for (const signal of HANDED_ON) process.on(signal, hand);
    process.on('SIGTSTP', () => {
      hand('SIGSTOP');
      process.kill(process.pid, 'SIGSTOP');
    });
    process.on('SIGCONT', hand);
    child = spawn(program, words, { env: environment, stdio: 'inherit', detached: true });
    child.on('error', reject);
    child.on('exit', (status, signal) => {
      for (const one of HANDED_ON) process.off(one, hand);
      if (signal !== null) process.kill(process.pid, signal);
      resolve(status ?? 1);
    });
  });
}
