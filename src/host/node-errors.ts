import { HostError, type Bytes } from './host.ts';

/** Byte string to Buffer: what Node's file functions take as a path without decoding it. */
export function toBuffer(bytes: Bytes): Buffer {
  return Buffer.from(bytes, 'latin1');
}

export function fromBuffer(buffer: Buffer): Bytes {
  return buffer.toString('latin1');
}

interface SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
}

export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'errno' in error && 'code' in error && 'syscall' in error;
}

/** Runs a call of Node; its system errors become HostErrors about `path`. */
export function call<T>(path: Bytes, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // Node says "ENOENT: no such file or directory, open 'x'".
    const text = error.message.replace(/^[A-Z0-9]+: /, '').replace(/, \w+( '.*)?$/s, '');
    throw new HostError(error.syscall, error.code, Math.abs(error.errno), text, path);
  }
}

/** As `call`; `absent` when the failure is one of `codes`. */
export function callUnless<T, A>(path: Bytes, codes: readonly string[], absent: A, run: () => T): T | A {
  try {
    return call(path, run);
  } catch (error) {
    if (error instanceof HostError && codes.includes(error.code)) return absent;
    throw error;
  }
}
