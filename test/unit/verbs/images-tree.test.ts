import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import type { ImageRecord } from '../../../src/image/types.ts';
import type { ImageRow } from '../../../src/verbs/images-select.ts';
import { imageTree } from '../../../src/verbs/images-tree.ts';

function row(reference: string, layers: string): ImageRow {
  const digests = [...layers].map(letter => `sha256:${letter.repeat(64)}`);
  const record = { version: 1, id: 'f'.repeat(64), layers: digests } as unknown as ImageRecord;
  const [repository = '', tag = ''] = reference.split(':');
  return { record, repository, tag, created: 0, readOnly: false, ...(reference === '' ? {} : { reference }) };
}

test('layers once each, further right only where images part ways', () => {
  const rows = [row('a:1', 'abcd'), row('b:1', 'abce5'), row('base:1', 'ab'), row('', '9'), row('none:1', '')];
  const text = imageTree(fakeHost({}), '/store', rows);
  assert.deepEqual(
    text.split('\n').map(line => line.replace(/ +0 B/, '').replace(/([a-f0-9])\1{11}/g, '$1')),
    [
      'LAYER           SIZE       IMAGES',
      'a',
      'b        base:1',
      'c',
      '+-d        a:1',
      '+-e',
      '  5        b:1',
      '9        <none> (f)',
      '                           none:1',
      '',
    ],
  );
});
