import { spawnSync, type StdioOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import { isatty } from 'node:tty';
import { call, callUnless, fromBuffer, isSystemError, toBuffer } from './node-errors.ts';
import { StandFor } from './node-apart.ts';
import { isClosedTerminal } from './node-terminal.ts';
import { HostError, type Bytes, type Facts, type Processes, type SpawnRequest, type SpawnResult } from './host.ts';

const SEARCH_PATH = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const CAPTURE_LIMIT = 16 << 20;

/** `Processes` and `Facts` with what Node has; pidfds it has not. */
export function processesOfNode(): Processes & Facts {
  return { ...PROCESSES, ...facts() };
}

const PROCESSES: Processes = {
  run: (request: SpawnRequest): SpawnResult => run(request),
  spawn: () => lacks('pidfd_open'),
  wait: () => lacks('waitid'),
  exec: (argv, environment, apart) => (apart === true ? standFor(argv, environment) : lacks('execve')),
  split: (): undefined => undefined,
  openProcess: () => lacks('pidfd_open'),
  startTime: (pid: number): string | undefined => {
    const path = `/proc/${pid}/stat`;
    const line = callUnless(path, ['ENOENT', 'ESRCH'], undefined, () => fs.readFileSync(path, 'latin1'));
    return line?.slice(line.lastIndexOf(')') + 2).split(' ')[19];
  },
  signal: () => lacks('pidfd_send_signal'),
  poll: () => lacks('poll'),
  close: (fd: number): void => call('', () => fs.closeSync(fd)),
  write(fd: number, data: Bytes): void {
    const bytes = toBuffer(data);
    for (let at = 0; at < bytes.length;) at += writeSome(fd, bytes, at);
  },
};

/** A pipe that Node made non-blocking says EAGAIN when it is full: then the other side needs a moment. */
function writeSome(fd: number, bytes: Buffer, at: number): number {
  try {
    return fs.writeSync(fd, bytes, at);
  } catch (error) {
    if (isSystemError(error) && error.code === 'EIO' && isClosedTerminal(fd)) return bytes.length - at;
    if (!isSystemError(error) || error.code !== 'EAGAIN')
      return call('', () => {
        throw error;
      });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    return 0;
  }
}

function run(request: SpawnRequest): SpawnResult {
  const [word = '', ...rest] = request.argv;
  const program = word.includes('/') ? word : findProgram(word);
  // child_process takes text only; bytes that are no UTF-8 cannot be passed on.
  const text = (bytes: Bytes): string => toBuffer(bytes).toString('utf8');
  const stdio: StdioOptions = [
    typeof request.input === 'string' ? 'pipe' : (request.input ?? 'ignore'),
    output(request.stdout),
    output(request.stderr),
  ];
  const done = spawnSync(text(program), rest.map(text), {
    env: Object.fromEntries((request.environment ?? []).map(entry => split(text(entry)))),
    stdio,
    maxBuffer: CAPTURE_LIMIT,
    killSignal: 'SIGKILL',
    ...(typeof request.input === 'string' ? { input: toBuffer(request.input) } : {}),
    ...(request.timeout === undefined ? {} : { timeout: request.timeout }),
  });
  if (done.error !== undefined && done.signal === null)
    call(program, () => {
      throw done.error as Error;
    });
  const end = done.signal === null ? { status: done.status ?? 0 } : { signal: os.constants.signals[done.signal] };
  const captured = (data: Buffer | null): Bytes => (data === null ? '' : fromBuffer(data));
  return { ...end, stdout: captured(done.stdout), stderr: captured(done.stderr) };
}

function standFor(argv: readonly Bytes[], environment: readonly Bytes[]): never {
  const [word = '', ...rest] = argv;
  // As in run().
  const text = (bytes: Bytes): string => toBuffer(bytes).toString('utf8');
  throw new StandFor(
    text(findProgram(word)),
    rest.map(text),
    Object.fromEntries(environment.map(entry => split(text(entry)))),
  );
}

function output(wanted: SpawnRequest['stdout']): 'inherit' | 'pipe' | number {
  return wanted === 'capture' ? 'pipe' : (wanted ?? 'inherit');
}

function split(entry: string): [string, string] {
  const at = entry.indexOf('=');
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}

function findProgram(word: Bytes): Bytes {
  for (const directory of SEARCH_PATH) {
    const path = `${directory}/${word}`;
    if (fs.statSync(toBuffer(path), { throwIfNoEntry: false })?.isFile() === true) return path;
  }
  throw new HostError('execve', 'ENOENT', 2, `not found in ${SEARCH_PATH.join(':')}`, word);
}

/** argv without the script: as a native program sees it, argv[0] is the program. */
function facts(): Facts {
  const bytes = (text: string): Bytes => fromBuffer(Buffer.from(text, 'utf8'));
  return {
    argv: ['berth', ...process.argv.slice(2)].map(bytes),
    environment: name => {
      const value = process.env[name];
      return value === undefined ? undefined : bytes(value);
    },
    environmentList: () => Object.entries(process.env).map(([name, value]) => bytes(`${name}=${value ?? ''}`)),
    pid: process.pid,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    euid: process.geteuid?.() ?? 0,
    now: () => Date.now() / 1000,
    monotonic: () => Number(process.hrtime.bigint() / 1000n),
    kernelRelease: () => bytes(os.release()),
    hostName: () => bytes(os.hostname()),
    cwd: () => bytes(process.cwd()),
    random: n => randomBytes(n).toString('hex'),
    isTerminal: fd => isatty(fd),
  };
}

function lacks(syscall: string): never {
  throw new HostError(syscall, 'ENOSYS', 38, `${syscall} is not available in the Node half of Berth`, '');
}
