import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { nodeHost } from '../../../src/host/node.ts';
import { LogFileReader } from '../../../src/verbs/log-file-reader.ts';

const T = '2026-01-02T03:04:05';

function inDirectory(body: (path: string, reader: () => LogFileReader) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'log-'));
  const path = join(directory, 'ctr.log');
  const source = { kind: 'file', name: 'web', id: 'f00', image: 'localhost/web', path, unit: '', manager: '' } as const;
  try {
    body(path, () => new LogFileReader(nodeHost(), source));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const said = (reader: LogFileReader): string[] =>
  reader.read().map(({ time, priority, text }) => `${time % 1e6} ${priority} ${text.toString()}`);

test('records of two streams, with the parts of a line put together', () => {
  inDirectory((path, reader) => {
    writeFileSync(
      path,
      `${T}.000001Z stdout P one \n${T}.000002Z stderr F bad\n${T}.000003Z stdout F line\n${T}.000004Z stdout F \nnot one\n${T}.000005Z stderr P open\n`,
    );
    const log = reader();
    assert.deepEqual(said(log), ['2 3 bad', '3 6 one line', '4 6 ']);
    assert.deepEqual(
      log.unfinished().map(({ text }) => text.toString()),
      ['open'],
    );
  });
});

test('time zones and fractions of any length', () => {
  inDirectory((path, reader) => {
    writeFileSync(path, `${T}.5+01:00 stdout F a\n${T}.123456789Z stdout F b\n`);
    const [a, b] = reader().read();
    assert.equal(a?.time, Date.UTC(2026, 0, 2, 2, 4, 5, 500) * 1000);
    assert.equal(b?.time, Date.UTC(2026, 0, 2, 3, 4, 5) * 1000 + 123456);
  });
});

test('files that were put aside come first, and a rotation meanwhile loses nothing', () => {
  inDirectory((path, reader) => {
    writeFileSync(`${path}.2`, `${T}.000001Z stdout F first\n${T}.000002Z stdout P sec\n`);
    writeFileSync(`${path}.1`, `${T}.000003Z stdout F ond\n`);
    writeFileSync(path, `${T}.000004Z stdout F third\n${T}.000005Z std`);
    const log = reader();
    assert.deepEqual(
      [...said(log), ...said(log), ...said(log), ...said(log)],
      ['1 6 first', '3 6 second', '4 6 third'],
    );
    appendFileSync(path, 'out F fourth\n');
    renameSync(path, `${path}.1`);
    writeFileSync(path, `${T}.000006Z stdout F fifth\n`);
    assert.deepEqual([...said(log), ...said(log), ...said(log)], ['5 6 fourth', '6 6 fifth']);
  });
});
