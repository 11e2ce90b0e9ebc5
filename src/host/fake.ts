import { HostError, type Bytes, type Host, type SpawnRequest, type SpawnResult } from './host.ts';
import { FakeFiles } from './fake-files.ts';

/**
 * A host for tests: files in memory, programs that tests script, and a record of every call that acts.
 * A call that the test has not provided for throws, so that nothing happens unseen.
 */
export interface FakeOptions {
  /** Path to content; directories come by themselves. */
  readonly files?: Readonly<Record<Bytes, Bytes>>;
  readonly directories?: readonly Bytes[];
  readonly environment?: Readonly<Record<Bytes, Bytes>>;
  readonly argv?: readonly Bytes[];
  readonly uid?: number;
  readonly pid?: number;
  /** What a program does; the default is that none is installed. */
  readonly run?: (request: SpawnRequest) => SpawnResult;
  /** Calls that the test answers itself, by name. */
  readonly calls?: Partial<Host>;
}

export interface FakeHost extends Host {
  /** `name(first argument)` of each call that acts, in order. */
  readonly log: string[];
  readonly files: FakeFiles;
  /** What was written to descriptors 1 and 2. */
  readonly written: { out: Bytes; err: Bytes };
}

export function fakeHost(options: FakeOptions = {}): FakeHost {
  const log: string[] = [];
  const files = new FakeFiles(options.files ?? {}, options.directories ?? []);
  const written = { out: '', err: '' };
  const base = { log, files, written, ...files.calls(log), ...facts(options), ...programs(options, log, written) };
  const known = { ...base, ...options.calls } as unknown as FakeHost;
  return new Proxy(known, {
    get(target, name): unknown {
      if (Reflect.has(target, name) || typeof name === 'symbol') return Reflect.get(target, name);
      throw new Error(`the fake host has no ${name}: give it in calls`);
    },
  });
}

function facts(options: FakeOptions): Partial<Host> {
  const environment = options.environment ?? {};
  let serial = 0;
  return {
    argv: options.argv ?? ['berth'],
    environment: name => environment[name],
    environmentList: () => Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    pid: options.pid ?? 4242,
    uid: options.uid ?? 0,
    gid: options.uid ?? 0,
    euid: options.uid ?? 0,
    now: () => 1_700_000_000,
    monotonic: () => 1_000_000,
    kernelRelease: () => '6.12.0',
    hostName: () => 'host',
    cwd: () => '/',
    random: n => (++serial).toString(16).padStart(2 * n, '0'),
    isTerminal: () => false,
  };
}

function programs(options: FakeOptions, log: string[], written: FakeHost['written']): Partial<Host> {
  return {
    run(request) {
      log.push(`run(${request.argv.join(' ')})`);
      if (options.run !== undefined) return options.run(request);
      throw new HostError('execve', 'ENOENT', 2, 'no such file or directory', request.argv[0] ?? '');
    },
    write(fd, data) {
      if (fd === 2) written.err += data;
      else written.out += data;
    },
    startTime: () => undefined,
    split: () => undefined,
    openProcess: () => undefined,
    notify(state) {
      log.push(`notify(${state.replaceAll('\n', ' ')})`);
      return environmentHas(options, 'NOTIFY_SOCKET');
    },
  };
}

function environmentHas(options: FakeOptions, name: string): boolean {
  return options.environment?.[name] !== undefined;
}
