/** corpus.ts DIRECTORY: valid lists to mutate: one for each operation, and whole ones. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { encodeOps, op } from '../../../src/ops/encode.ts';
import type { OpRow } from '../../../src/ops/op-row.ts';
import { OPS, type Op } from '../../../src/ops/ops.ts';

const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  path: ['/a', '/dev', '/etc/../x'],
  target: ['/proc', '/dev/pts', '/a/b/c', '/'],
  int: ['0', '1', '-1', '4294967294'],
  octal: ['755', '1777', '0'],
  hex: ['20000', 'ffffffffffffffff', '0'],
  fd: ['0', '3'],
  text: ['created', 'ready', 'proc', 'tmpfs', 'c', 'a=b,c', '', 'net.ipv4.x', 'unlimited', 'netns'],
  flags: ['ro,nosuid,r', 'rslave', 'dir', 'userxattr', 'point,rw,noatime', 'legacy', ''],
};

const directory = process.argv[2] ?? '';
mkdirSync(directory, { recursive: true });
let turn = 0;
let count = 0;
const put = (ops: readonly Op[]): void => writeFileSync(`${directory}/${String(count++)}`, encodeOps(ops), 'latin1');

const sample = (row: OpRow): Op => {
  const kinds = row.rest === true ? [...row.fields, row.fields.at(-1) ?? 'text'] : row.fields;
  return op(
    row.name as Op['name'],
    ...kinds.map(kind => {
      const values = SAMPLES[kind] ?? [];
      return values[turn++ % values.length] ?? '';
    }),
  );
};

const ROOT = [op('become-root'), op('sync', 'created'), op('propagation', '/', 'rslave')];
const MADE = [op('root-bind', '/r', 'r'), op('check-root', '/dev', '/proc', '/sys')];
for (const row of OPS) {
  if (row.name === 'exec') continue;
  for (let variant = 0; variant < 3; variant++) {
    put([...ROOT, ...MADE, sample(row), sample(row), op('pivot'), op('sync', 'ready'), op('exec', '/bin', 'true')]);
  }
}
put([
  ...ROOT,
  op('root-overlay', '/u', '/w', 'userxattr', '', '/l1', '/l2'),
  op('mount', 'tmpfs', 'tmpfs', '/dev', 'nosuid,point', 'mode=755,size=1m'),
  op('device', '/dev/null', 'c', 1, 3, '666', 0, 0),
  op('copy-up', '/v', '/data', 0, 0, '/record'),
  op('tmpfs-copyup', '/run', 'mode=755', 'point'),
  op('session'),
  op('console', 0, -1),
  op('pivot'),
  op('mask', '/proc/keys'),
  op('mask', '/proc/acpi'),
  op('read-only', '/proc/sys'),
  op('sync', 'ready'),
  op('capabilities', 'ff', 'ff', 'ff', '0', '0'),
  op('user', 33, 33, 1, 2, 3),
  op('no-new-privileges'),
  op('seccomp', 'abcdefgh', 'log'),
  op('environment', 'PATH=/bin', 'LISTEN_PID='),
  op('listen', 0, 1),
  op('init'),
  op('watch', '/bundle'),
  op('exec', '/usr/bin:/bin::/sbin', 'sh', '-c', 'true'),
]);
