import type { Bytes, Host } from '../host/host.ts';

/** `missing`: containers of this kind do not start, or a promised thing does not work; `warning`: less than there could be. */
export type Health = 'ok' | 'warning' | 'missing';

/** One thing that containers need of the host. */
export interface Finding {
  readonly name: string;
  readonly state: Health;
  /** What was found, in a few words. */
  readonly found: string;
  /** The command, or the change, that mends it; absent when all is well. */
  readonly mend?: string;
}

/** For whom the host is looked at: root, or an account that runs containers without privileges. */
export interface Subject {
  /** As the account sees it: its uid, its home. */
  readonly host: Host;
  readonly name: string;
  readonly uid: number;
  readonly home: Bytes;
}

export function fine(name: string, found: string): Finding {
  return { name, state: 'ok', found };
}

export function lack(name: string, found: string, mend: string): Finding {
  return { name, state: 'missing', found, mend };
}

export function doubt(name: string, found: string, mend: string): Finding {
  return { name, state: 'warning', found, mend };
}

const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/usr/lib/podman', '/usr/libexec/podman'];

/** Where a program is; the directories of network helpers, which are in nobody's PATH, included. */
export function programPath(host: Host, name: string): Bytes | undefined {
  return PATH.map(directory => `${directory}/${name}`).find(path => host.access(path, 1));
}

/** The first number of a file of the kernel; undefined when there is no such file. */
export function numberIn(host: Host, path: Bytes): number | undefined {
  const text = host.readFileIfExists(path);
  return text === undefined || text.trim() === '' ? undefined : Number(text.trim().split(/\s+/)[0]);
}

/** `6.1.0-21-amd64` is at least 5.12. */
export function kernelIsAtLeast(host: Host, major: number, minor: number): boolean {
  const [a = 0, b = 0] = host
    .kernelRelease()
    .split('.')
    .map(part => parseInt(part, 10));
  return a > major || (a === major && b >= minor);
}
