/** Plays operations for real by way of `drive` (drive.c) and says what came of it. Needs root. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { encodeOps, op } from '../../../src/ops/encode.ts';
import type { Op } from '../../../src/ops/ops.ts';

/** Who starts the container, and with which id map. */
export interface Mode {
  readonly name: string;
  readonly uid: number;
  readonly user: boolean;
  readonly map: string;
  readonly deny: boolean;
}

const ACCOUNT = 54321;

export const MODES: readonly Mode[] = [
  { name: 'root', uid: 0, user: false, map: '', deny: false },
  { name: 'root with a user namespace', uid: 0, user: true, map: '0 300000 65536', deny: false },
  {
    name: 'an account with subordinate ids',
    uid: ACCOUNT,
    user: true,
    map: `0 ${ACCOUNT} 1,1 300000 65536`,
    deny: false,
  },
  { name: 'an account with a single id', uid: ACCOUNT, user: true, map: `0 ${ACCOUNT} 1`, deny: true },
];

export const ROOT: Mode = MODES[0]!;
export const ACCOUNT_MODE: Mode = MODES[2]!;

export interface Outcome {
  /** Lines of the driver: see drive.c. */
  readonly lines: readonly string[];
  /** What payload and driver wrote. */
  readonly text: string;
  readonly status: number | undefined;
  readonly signal: number | undefined;
  /** Text of a `fail` message. */
  readonly fail: string;
}

export interface RunOptions {
  readonly arguments?: readonly string[];
  /** Bits besides NEWUSER; default NEWNS|NEWPID|NEWUTS|NEWIPC|NEWNET. */
  readonly namespaces?: number;
  readonly input?: string;
}

const DIRECTORY = mkdtempSync('/tmp/berth-stage-');
chmodSync(DIRECTORY, 0o755);
process.on('exit', () => rmSync(DIRECTORY, { recursive: true, force: true }));
let count = 0;

/** A fresh directory that belongs to the mode's account. */
export function directory(mode: Mode): string {
  const path = `${DIRECTORY}/${String(++count)}`;
  mkdirSync(path);
  const owner = mode.uid !== 0 ? mode.uid : mode.user ? Number(mode.map.split(' ')[1]) : 0;
  chownSync(path, owner, owner);
  return path;
}

/** A root file system with busybox, owned by the container's root. */
export function makeRoot(mode: Mode): string {
  const root = directory(mode);
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'etc', 'run']) mkdirSync(`${root}/${name}`);
  copyFileSync(process.env['STAGE_BUSYBOX'] ?? '/bin/busybox', `${root}/bin/busybox`);
  for (const name of [
    'sh',
    'cat',
    'ls',
    'stat',
    'id',
    'grep',
    'echo',
    'readlink',
    'sleep',
    'kill',
    'mount',
    'touch',
    'tty',
    'env',
    'true',
    'dd',
    'ps',
    'umount',
    'test',
  ]) {
    symlinkSync('busybox', `${root}/bin/${name}`);
  }
  writeFileSync(`${root}/etc/hello`, 'hello from the image\n');
  own(mode, root);
  return root;
}

/** Gives a tree to the container's root. */
export function own(mode: Mode, path: string): void {
  const owner = mode.uid !== 0 ? mode.uid : mode.user ? Number(mode.map.split(' ')[1]) : 0;
  spawnSync('chown', ['-hR', `${String(owner)}:${String(owner)}`, path]);
}

/** /dev, /proc and /sys as a start makes them. */
export const BASE: readonly Op[] = [
  op('mount', 'tmpfs', 'tmpfs', '/dev', 'nosuid,strictatime,point', 'mode=755,size=65536k'),
  op('mount-host', 'proc', '/proc', 'nosuid,nodev,noexec,point'),
  op('mount-host', 'sysfs', '/sys', 'nosuid,nodev,noexec,ro,point'),
  op('mount', 'devpts', 'devpts', '/dev/pts', 'nosuid,noexec,point', 'newinstance,ptmxmode=0666,mode=0620'),
  op('device', '/dev/null', 'c', 1, 3, '666', 0, 0),
  op('device', '/dev/zero', 'c', 1, 5, '666', 0, 0),
  op('device', '/dev/tty', 'c', 5, 0, '666', 0, 0),
];

/** A whole list around some operations: `inside` comes before pivot, `after` before the exec. */
export function list(
  mode: Mode,
  root: string,
  parts: { inside?: readonly Op[]; after?: readonly Op[]; argv: readonly string[] },
): Op[] {
  return [
    ...(mode.user ? [op('become-root')] : []),
    op('sync', 'created'),
    op('propagation', '/', 'rslave'),
    op('root-bind', root, 'r'),
    op('check-root', '/dev', '/proc', '/sys'),
    ...BASE,
    ...(parts.inside ?? []),
    op('pivot'),
    ...(parts.after ?? []),
    op('environment', 'PATH=/bin', 'LISTEN_PID='),
    op('exec', '/bin', ...parts.argv),
  ];
}

export function play(mode: Mode, ops: readonly Op[], options: RunOptions = {}): Outcome {
  return playBytes(mode, encodeOps(ops), options);
}

export function playBytes(mode: Mode, bytes: string, options: RunOptions = {}): Outcome {
  const file = `${DIRECTORY}/ops`;
  writeFileSync(file, bytes, 'latin1');
  const bits = ((options.namespaces ?? 0x6c020000) | (mode.user ? 0x10000000 : 0)) >>> 0;
  const words = ['--ns', bits.toString(16), ...(mode.user ? ['--uid-map', mode.map, '--gid-map', mode.map] : [])];
  if (mode.uid !== 0) words.push('--uid', String(mode.uid));
  if (mode.deny) words.push('--deny');
  const drive = process.env['STAGE_DRIVE'] ?? 'build/test/stage-drive';
  const tiny = process.env['STAGE_TINY'] ?? 'build/tiny';
  const done = spawnSync(drive, [...words, ...(options.arguments ?? []), tiny, file], {
    encoding: 'latin1',
    timeout: 20_000,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: { DRIVE_FD: '3' },
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  // The driver's own lines come last, so that they do not stand between the payload's.
  const text = `\n${done.stdout}${done.stderr}${String(done.output[3])}`;
  const lines = text.split('\n');
  const number = (word: string): number | undefined => {
    const found = lines.findLast(line => line.startsWith(`${word} `) && /^\w+ \d+$/.test(line));
    return found === undefined ? undefined : Number(found.slice(word.length + 1));
  };
  const fail = lines.find(line => line.startsWith('fail '))?.slice(5) ?? '';
  return { lines, text, status: number('exit'), signal: number('signal'), fail };
}

/** A filter that answers one system call of x86-64 with EACCES (ld nr; jeq; ret ERRNO|13; ret ALLOW), escaped as the operation wants it. */
export function denying(number: number): string {
  const instruction = (code: number, jt: number, jf: number, k: number): string =>
    String.fromCharCode(code & 255, code >> 8, jt, jf, k & 255, (k >> 8) & 255, (k >> 16) & 255, (k >>> 24) & 255);
  const program =
    instruction(0x20, 0, 0, 0) +
    instruction(0x15, 0, 1, number) +
    instruction(0x06, 0, 0, 0x0005000d) +
    instruction(0x06, 0, 0, 0x7fff0000);
  return program.replaceAll('\x01', '\x01\x01').replaceAll('\0', '\x01\x02');
}
