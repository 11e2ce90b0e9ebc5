import { fakeHost } from '../../../src/host/fake.ts';
import { HostError } from '../../../src/host/host.ts';
import { marshal, pad } from '../../../src/systemd/marshal.ts';

/** A message from the manager: type 2 return, 3 error, 4 signal. */
export function message(
  type: number,
  fields: [number, [string, unknown]][],
  signature = '',
  values: unknown[] = [],
): string {
  const body = marshal(signature, values);
  const all = signature === '' ? fields : [...fields, [8, ['g', signature]] as [number, [string, unknown]]];
  const head = marshal('yyyyuua(yv)', [0x6c, type, 0, 1, body.length, 99, all]);
  return head + pad(head.length, 8) + body;
}

export const answer = (serial: number, signature = '', values: unknown[] = []): string =>
  message(2, [[5, ['u', serial]]], signature, values);
export const removed = (job: string, result: string): string =>
  message(
    4,
    [
      [1, ['o', '/org/freedesktop/systemd1']],
      [3, ['s', 'JobRemoved']],
    ],
    'uoss',
    [1, job, 'a.scope', result],
  );
export const changed = (path: string, code: number, status: number): string =>
  message(
    4,
    [
      [1, ['o', path]],
      [3, ['s', 'PropertiesChanged']],
    ],
    'sa(sv)as', // on the wire an entry of a dictionary is a structure
    [
      'org.freedesktop.systemd1.Service',
      [
        ['ExecMainCode', ['i', code]],
        ['ExecMainStatus', ['i', status]],
      ],
      [],
    ],
  );

/** A manager whose answers are all there from the beginning, given out in pieces of this size. */
export function manager(answers: string, options: { uid?: number; piece?: number; sockets?: string[] } = {}) {
  let rest = `OK 1234\r\n${answers}`;
  const sent: string[] = [];
  const tried: string[] = [];
  let closed = 0;
  const host = fakeHost({
    uid: options.uid ?? 0,
    environment: { XDG_RUNTIME_DIR: '/run/user/1000', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus,guid=1' },
    calls: {
      connectUnix(path) {
        tried.push(path);
        if (options.sockets?.includes(path) === false) {
          throw new HostError('connect', 'ENOENT', 2, 'no such file or directory', path);
        }
        return 7;
      },
      send: (_, data) => void sent.push(data),
      receive() {
        const data = rest.slice(0, options.piece ?? 4096);
        rest = rest.slice(data.length);
        return { data, fds: [] };
      },
      close: () => void closed++,
      poll: () => [],
    },
  });
  return { host, sent, tried, closed: () => closed };
}

/** Of the first call of a connection. */
export function refusal(name: string): string {
  const fields: [number, [string, unknown]][] = [
    [4, ['s', `org.freedesktop.${name}`]],
    [5, ['u', 1]],
  ];
  return message(3, fields, 's', ['no']);
}
