import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import type { Files, Host } from '../../../src/host/host.ts';
import { installUnits } from '../../../src/verbs/quadlet-install.ts';

export const TEXT = '[Container]\nImage=localhost/a\n# \xc3\xa4\n';
export const INTO = '/etc/containers/systemd';

export const APP = {
  '/q/app/a.container': TEXT,
  '/q/app/b.volume': '[Volume]\n',
  '/q/app/.git/x': '',
  '/q/app/config': 'x\n',
  '/q/c.pod': '[Pod]\n',
};

export interface Installed {
  readonly host: FakeHost;
  readonly status: number;
  /** Files in the directory of units, by name. */
  readonly files: Readonly<Record<string, string>>;
}

export async function install(
  operands: readonly string[],
  files: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
  calls: Partial<Host> = {},
): Promise<Installed> {
  const host: FakeHost = fakeHost({
    files: { '/q/x': '', ...files },
    uid: 0,
    calls: withDescriptors(() => host, calls),
  });
  const options = [{ name: 'reload-systemd', value: 'false' }, ...flags.map(name => ({ name, value: 'true' }))];
  const status = await installUnits(host, { globals: [], verb: 'quadlet install', options, operands });
  const names = host.stat(INTO) === undefined ? [] : host.list(INTO).map(entry => entry.name);
  return { host, status, files: Object.fromEntries(names.map(name => [name, host.readFile(`${INTO}/${name}`)])) };
}

/** What is open is found by its descriptor, too. */
function withDescriptors(host: () => FakeHost, calls: Partial<Host>): Partial<Host> {
  const opened: string[] = [];
  const named = (path: string): string => opened[Number(path.split('/proc/self/fd/')[1])] ?? path;
  const files = (): Files => host().files.calls([]);
  const realpath = calls.realpath ?? ((path: string): string => path);
  return {
    ...calls,
    realpath,
    open: path => opened.push(path) - 1,
    close: () => undefined,
    readlink: path => realpath(named(path)) ?? '',
    stat: path => (calls.stat ?? files().stat)(named(path)),
    readFile: path => (calls.readFile ?? files().readFile)(named(path)),
  };
}
