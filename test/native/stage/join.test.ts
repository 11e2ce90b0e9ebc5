/** Joining a container, and lists that are none. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeOps, op } from '../../../src/ops/encode.ts';
import { ACCOUNT_MODE, directory, list, makeRoot, play, playBytes, ROOT, type Mode } from './stage.ts';

for (const mode of [ROOT, ACCOUNT_MODE]) {
  const where = `as ${mode.name}`;

  test(`a payload of another user joins by pidfd and has no more than its container, ${where}`, async () => {
    const running = spawn('sh', ['-c', 'exec sleep 5']);
    const container = makeRoot(mode);
    const ops = list(mode, container, {
      after: [op('hostname', 'joined'), op('sync', 'ready')],
      argv: ['sh', '-c', 'sleep 3'],
    });
    const waiting = startBeside(mode, ops);
    const pid = await waiting.pid;
    const joined = play(
      { ...mode, user: false, deny: false },
      [
        op('oom-score-adj', '300'),
        op('setns', 0, mode.user ? '7c020000' : '6c020000'),
        ...(mode.user ? [op('become-root')] : []),
        op('fork'),
        op('session'),
        op('cwd', '/tmp', '755', 0, 0),
        op('sync', 'ready'),
        op('capabilities', '1', '1', '1', '0', '0'),
        op('user', 0, 0),
        op('environment', 'PATH=/bin'),
        op(
          'exec',
          '/bin',
          'sh',
          '-c',
          'cat /proc/sys/kernel/hostname; pwd; grep CapBnd /proc/self/status; cat /proc/self/oom_score_adj; ls /proc/self/fd; ps; exit 9',
        ),
      ],
      { namespaces: 0, arguments: ['--fd', `pidfd:${String(pid)}`] },
    );
    running.kill();
    waiting.end();
    assert.match(joined.text, /^pid \d+$/m, joined.text);
    assert.match(joined.text, /joined\n\/tmp\nCapBnd:\s+0000000000000001\n300\n0\n1\n2\n3\n(?!4)/);
    assert.match(joined.text, /sleep 3/);
    assert.match(joined.text, /^exit 9$/m);
  });
}

/** Starts a container that goes on; `pid` is its first process. */
function startBeside(mode: Mode, ops: ReturnType<typeof list>): { pid: Promise<number>; end: () => void } {
  const file = `${directory(ROOT)}/ops`;
  writeFileSync(file, encodeOps(ops), 'latin1');
  const bits = (0x6c020000 | (mode.user ? 0x10000000 : 0)) >>> 0;
  const words = ['--ns', bits.toString(16), ...(mode.user ? ['--uid-map', mode.map, '--gid-map', mode.map] : [])];
  if (mode.uid !== 0) words.push('--uid', String(mode.uid));
  const child = spawn(process.env['STAGE_DRIVE'] ?? 'build/test/stage-drive', [
    ...words,
    process.env['STAGE_TINY'] ?? 'build/tiny',
    file,
  ]);
  const pid = new Promise<number>(resolve => {
    child.stdout.on('data', (data: Buffer) => {
      if (!data.toString().includes('running')) return;
      const account =
        readFileSync(`/proc/${String(child.pid)}/task/${String(child.pid)}/children`, 'utf8')
          .trim()
          .split(' ')[0] ?? '';
      resolve(Number(readFileSync(`/proc/${account}/task/${account}/children`, 'utf8').trim()));
    });
  });
  return { pid, end: () => child.kill('SIGKILL') };
}

test('T30 lists that are no lists end before anything is played', () => {
  const good = encodeOps([op('sync', 'created')]);
  const record = (text: string): string => `BERTHOPS1\n${String.fromCharCode(text.length, 0, 0, 0)}${text}`;
  const table: readonly (readonly [string, RegExp])[] = [
    ['', /^fail list 22/m],
    ['BERTHOPS2\n', /^fail list 22 .*damaged/m],
    [good.slice(0, -1), /^fail list 22 invalid argument \(a record is cut short/m],
    [`${good}abc`, /cut short/],
    [record('sync\0created'), /has no end/],
    [record('nonsense\0'), /no such operation/],
    [record('sync\0'), /^fail sync 22 invalid argument \(too few fields/m],
    [record('sync\0a\0b\0'), /too many fields/],
    [record('mkdir\0relative\x00755\x000\x000\0'), /a path is not absolute/],
    [record('mkdir\0/x\x00799\x000\x000\0'), /no octal mode/],
    [record('umask\x0077777\0'), /no octal mode/],
    [record('user\x00a\x000\0'), /no decimal number/],
    [record('user\x0099999999999999999999\x000\0'), /no decimal number/],
    [record('unshare\0xyz\0'), /no hexadecimal number/],
    [record('await\x005000\0'), /no descriptor index/],
    [encodeOps([op('exec', '/bin', 'x'), op('pivot')]), /follows exec/],
  ];
  for (const [bytes, expected] of table) {
    const done = playBytes(ROOT, bytes, { namespaces: 0 });
    assert.match(done.text, expected, JSON.stringify(bytes));
    assert.equal(done.status, 125);
    assert.doesNotMatch(done.text, /^at /m);
  }
});
