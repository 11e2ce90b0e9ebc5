import { HostError, type Host } from '../../../src/host/host.ts';

/** What a test gets: the host, and an empty directory of its own. */
export interface Room {
  readonly host: Host;
  readonly dir: string;
  readonly root: boolean;
}

export type Tests = Readonly<Record<string, (room: Room) => void>>;

/** Runs the tests in order and prints TAP; the number of failures. */
export function runTests(host: Host, dir: string, tests: Tests): number {
  let failures = 0;
  let number = 0;
  for (const [name, test] of Object.entries(tests)) {
    number++;
    const room = { host, dir: `${dir}/${number}`, root: host.uid === 0 };
    host.mkdir(room.dir, 0o755);
    const why = failure(test, room);
    if (why !== undefined) failures++;
    host.write(
      1,
      `${why === undefined ? 'ok' : 'not ok'} ${number} - ${name}\n${why === undefined ? '' : `# ${why}\n`}`,
    );
  }
  host.write(1, `1..${number}\n`);
  return failures;
}

function failure(test: (room: Room) => void, room: Room): string | undefined {
  try {
    test(room);
    return undefined;
  } catch (error) {
    return `${String(error)} ${(error as Error).stack ?? ''}`.replaceAll('\n', ' ');
  }
}

export function equal(actual: unknown, expected: unknown, what = ''): void {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== e) throw new Error(`${what}: got ${a ?? 'undefined'}, expected ${e ?? 'undefined'}`);
}

export function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** The call throws a HostError with this code; it is returned. */
export function fails(code: string, run: () => unknown): HostError {
  try {
    run();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    equal(error.code, code, error.message);
    return error;
  }
  throw new Error(`did not fail with ${code}`);
}

/** The call throws a plain error of the engine: a wrong argument. */
export function refuses(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (error instanceof HostError) throw error;
    return;
  }
  throw new Error('a wrong argument was accepted');
}
