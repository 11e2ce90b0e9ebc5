/** The end of a list: exec, init, descriptors. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { op } from '../../../src/ops/encode.ts';
import { denying, ACCOUNT_MODE, directory, list, makeRoot, own, play, ROOT } from './stage.ts';

for (const mode of [ROOT, ACCOUNT_MODE]) {
  const where = `as ${mode.name}`;

  const root = makeRoot(mode);
  mkdirSync(`${root}/other`);
  writeFileSync(`${root}/bin/plain`, 'text\n');
  writeFileSync(`${root}/bin/script`, '#!/no/such/interpreter\n', { mode: 0o755 });
  writeFileSync(`${root}/bin/nonsense`, 'nonsense\n');
  chmodSync(`${root}/bin/nonsense`, 0o755);
  chmodSync(`${root}/bin/script`, 0o755);
  own(mode, root);

  const table: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    [
      'not found in PATH',
      ['nothing'],
      127,
      /^berth: exec nothing: no such file or directory: searched in \/sbin:\/bin$/m,
    ],
    ['not found by path', ['/bin/nothing'], 127, /^berth: exec \/bin\/nothing: no such file or directory$/m],
    ['below a file', ['/bin/plain/x'], 127, /^berth: exec \/bin\/plain\/x: no such file or directory$/m],
    ['the empty word', [''], 127, /^berth: exec .*searched in/m],
    ['not executable', ['plain'], 126, /^berth: exec \/bin\/plain: permission denied \(it is not executable/m],
    ['a directory', ['/other'], 126, /^berth: exec \/other: is a directory/m],
    [
      'a missing interpreter',
      ['script'],
      126,
      /^berth: exec \/bin\/script: no such file or directory \(its interpreter/m,
    ],
    ['no program at all', ['nonsense'], 126, /^berth: exec \/bin\/nonsense: exec format error \(it is no program/m],
    ['control characters are not printed (T28)', ['/bin/\x1b[31m'], 127, /^berth: exec \/bin\/\?\[31m: no such file/m],
  ];
  for (const [what, argv, status, line] of table) {
    test(`exec: ${what}, ${where}`, () => {
      const ops = list(mode, root, { after: [op('sync', 'ready')], argv: [] });
      ops[ops.length - 1] = op('exec', '/sbin:/bin', ...argv);
      const done = play(mode, ops);
      assert.equal(done.status, status, done.text);
      assert.match(done.text, line);
      assert.match(done.text, new RegExp(`^status exec \\d+ ${String(status)} `, 'm'));
    });
  }

  test(`before ready a failure is told to the launcher only, ${where}`, () => {
    const done = play(mode, list(mode, root, { argv: ['nothing'] }));
    assert.match(done.fail, /^exec 2 nothing: no such file/);
    assert.doesNotMatch(done.text, /berth:/);
  });

  test(`descriptors of LISTEN_FDS become 3 and 4, ${where}`, () => {
    const [one, two] = [`${directory(mode)}/one`, `${directory(mode)}/two`];
    writeFileSync(one, 'first\n', { mode: 0o644 });
    writeFileSync(two, 'second\n', { mode: 0o644 });
    for (const init of [[], [op('init')]]) {
      const ops = list(mode, root, {
        after: [op('sync', 'ready')],
        argv: ['sh', '-c', 'cat <&3; cat <&4; test "$LISTEN_PID" = $$ && echo pid matches; ls /proc/$$/fd'],
      });
      ops.splice(ops.length - 1, 0, op('listen', 1, 0), ...init);
      const done = play(mode, ops, { arguments: ['--fd', two, '--fd', one] });
      // 5 is the directory that ls reads.
      assert.match(done.text, /first\nsecond\npid matches\n0\n1\n2\n3\n4\n5\n(?!6)/, done.text);
      assert.equal(done.status, 0);
    }
  });

  const withInit = (argv: readonly string[]): ReturnType<typeof list> => {
    const ops = list(mode, root, { after: [op('sync', 'ready')], argv });
    ops.splice(ops.length - 1, 0, op('init'));
    return ops;
  };

  test(`init reaps and ends with the payload's status, ${where}`, () => {
    const done = play(
      mode,
      withInit(['sh', '-c', '(sleep 0.2 &) ; (true &); sleep 0.4; ps -o pid,args; cat /proc/1/comm; exit 7']),
    );
    assert.equal(done.status, 7, done.text);
    assert.match(done.text, /1 berth-init 2\n(.*\n)*berth-init\n/);
    assert.doesNotMatch(done.text, /\[(true|sleep)\]/, 'no zombie is left');
    assert.equal(play(mode, withInit(['sh', '-c', 'kill -9 $$'])).status, 137);
    assert.equal(play(mode, withInit(['nothing'])).status, 127);
  });

  test(`init stays small, and works where a filter forbids its program, ${where}`, () => {
    const rss = 'grep VmRSS /proc/1/status; exit 5';
    const small = play(mode, withInit(['sh', '-c', rss]));
    assert.ok(Number(/VmRSS:\s+(\d+) kB/.exec(small.text)?.[1] ?? 999) <= 20, small.text);
    const memfdCreate = 319;
    const ops = withInit(['sh', '-c', 'cat /proc/1/comm; exit 6']);
    ops.splice(ops.length - 2, 0, op('no-new-privileges'), op('seccomp', denying(memfdCreate), ''));
    const done = play(mode, ops);
    assert.match(done.text, /berth-init/, done.text);
    assert.equal(done.status, 6, done.text);
  });

  test(`init hands signals on, ${where}`, () => {
    for (const name of ['TERM', 'USR1', 'HUP', 'QUIT', 'WINCH']) {
      const done = play(
        mode,
        withInit(['sh', '-c', `trap 'echo got it; exit 3' ${name}; kill -${name} 1; sleep 0.5; sleep 0.5; sleep 0.5`]),
      );
      assert.match(done.text, /got it/, `${name}: ${done.text}`);
      assert.equal(done.status, 3);
    }
  });

  test(`a terminal is the controlling one, ${where}`, () => {
    for (const init of [false, true]) {
      const ops = list(mode, root, {
        inside: [op('session'), op('console', 0, -1)],
        after: [op('sync', 'ready')],
        argv: [
          'sh',
          '-c',
          'tty; ls -l /dev/console; stat -c %t:%T /dev/console; echo to-tty > /dev/tty; test -t 0 && echo is-terminal',
        ],
      });
      if (init) ops.splice(ops.length - 1, 0, op('init'));
      const done = play(mode, ops, { arguments: ['--terminal'] });
      assert.match(done.text, /\/dev\/pts\/0\r\n/, done.text);
      assert.match(done.text, /\n88:0\r\nto-tty\r\nis-terminal/);
    }
  });

  test(`await blocks until a byte comes, ${where}`, () => {
    const fifo = `${directory(mode)}/start`;
    spawnSync('mkfifo', ['-m', '666', fifo]);
    const ops = list(mode, root, { after: [op('sync', 'ready'), op('await', 0)], argv: ['echo', 'started'] });
    const writer = spawn('sh', ['-c', `sleep 0.3; echo -n g > ${fifo}`]);
    const began = Date.now();
    const done = play(mode, ops, { arguments: ['--fd', fifo] });
    writer.unref();
    assert.match(done.text, /\nstarted\n/, done.text);
    assert.ok(Date.now() - began >= 250);
  });

  test(`limits, umask and oom score, ${where}`, () => {
    const done = play(
      mode,
      list(mode, root, {
        inside: [
          op('oom-score-adj', '500'),
          op('keyring', '_ses'),
          op('rlimit', 7, '100', '200'),
          op('rlimit', 4, '0', 'unlimited'),
          op('umask', '27'),
        ],
        after: [op('sync', 'ready')],
        argv: ['sh', '-c', 'ulimit -n; ulimit -Hn; umask; cat /proc/self/oom_score_adj'],
      }),
    );
    assert.match(done.text, /100\n200\n0027\n500\n/, done.text);
    const beyond = play(
      mode,
      list(mode, root, {
        inside: [op('rlimit', 7, '100', '200'), op('rlimit', 7, '150', '150')],
        after: [op('user', 0, 0), op('capabilities', '0', '0', '0', '0', '0'), op('no-new-privileges')],
        argv: ['sh', '-c', 'ulimit -n; ulimit -Hn'],
      }),
    );
    assert.match(beyond.text, /150\n150\n/, beyond.text);
    if (mode.user) {
      const lower = op('rlimit', 7, '100', '200');
      const higher = (hard: string): string =>
        play(
          mode,
          list(mode, root, {
            inside: [lower, op('rlimit', 7, '150', hard)],
            argv: ['sh', '-c', 'ulimit -n; ulimit -Hn'],
          }),
        ).text;
      assert.match(higher('300'), /fail rlimit 1 7: .*the hard limit is above ours/);
      assert.match(higher('300?'), /150\n200\n/);
      assert.match(higher('unlimited?'), /150\n200\n/);
    }
    const refused = play(mode, list(mode, root, { inside: [op('rlimit', 7, '1', 'x')], argv: ['true'] }));
    assert.match(refused.fail, /^rlimit 22 7: invalid argument \(a limit is/);
  });
}
