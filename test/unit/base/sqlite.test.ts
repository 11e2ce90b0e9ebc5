import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { readTable, SqliteError } from '../../../src/base/sqlite.ts';

/**
 * Made by SQLite 3 with pages of 512 bytes: VolumeConfig(Name, StorageID, JSON, N) with 40 rows `vI`, NULL, `{"i":I,"pad":"xxx…"}` of
 * I * 37 letters, and a number of one of five sizes, so that there are inner pages, overflow pages and all lengths of integers.
 */
const PACKED =
  'eNrtXV1sFFUUvmdnuz9tF7ot7bYUyrDbQgsFd2a6u21BbCkLKZQitBJQCBYoUAVaoNxgoCQFCi2IIqAm6oshMTG8mBh9wBij8aGGxBh40MRIjM' +
  'YYoy+GRI28eO4cWvpgaYHSdjvn5M75ZjN/d+6Z79y/M7NN6xvaOlv1Xe0H97V06pZwCQBRo+tCCA2XVeKeuHBxD/kNYmTRxOIdEIB/8MALAjbD' +
  '5+IC6Pc7oDugeUMlJdC9tbNl+97Wje17D+9rrWvfv6tt99B1d92GZG1zUm+uXd6Q1IduKW1s2deqNyc3NetPb6hfW7ths74muVlvXNesNz7T0F' +
  'CuN3W2H2zZ3Vq/wt6pXF/dtK6R9r+3T6Ne39icXJXcUJZwe0JrSkC07d/ZeuTQgb1YWNtaDne227+3Db3wNmPor7Rd4A1FItCdM+Q+mjpbOoeu' +
  'uv7nLuwNI97EYKbLYi5PqD5y/wza5xzIn/1D2danyjswYFkWR0o629/RkoZLPvSq1VVwB/6CP+EP+BV+gh/gO7gJX8NX8CV8BtfgI/gArsJ78C' +
  '68A2/CRThPB7GMmayYj6p2HqplJaiWFKOqjKCywqhKVbUZKUQ1twDVnHxUs0OoCvNQFeSiypuBKisb1TTl1gOZqDIzUGUolqf7UfmV0/d5UXk9' +
  'qDxutaVUXBfwL9yGD9HCV+BtuATn4CQchUPwIj4NO+A5aII1UAdLwIKFEIFC+AVyIAM0cUfcFr+Ln8X34qa4DrfgW/gGn5gv4JMJKD+vlgPSqi' +
  'olrJxPmJhHGC8hjBUTVkQIrTChOZfQ0Amjc2w0q4oIK2cTJmYRxgsJYzMJKwoIrXxCM0Ro5BFGc200qmYQVuYQJrIJ40HCWBZhxXRCaxqhGSA0' +
  'MgmjGR4tCLIq3YZKvw0Jnw1xrw0xjw0VaTZYbhtMzQbDlaYF/TIasBt1Hwvk/PtQhyspId3pbk9QnEjXpHU03BautsrDHS07w9XhI+Mr4S4Idu' +
  'zUMC/dNS5p2nkxxz4v4S7Rv9SVFhTSLw37IsYDXSTcFQI8utwno/bR0YGjw10Bu/p/ScBaVONqwvUeLLaTRT4Zs/MUmyATjqWVuqNp6rFsdssK' +
  '+54qJvM94bNrLLLb/wBeAV5H173d0quexj1+GbctF0/5p3GUz4Btf/GjUGkqyonZPjTsKdMlE7ZhE84w7KirFbL/NaFSilm2zq8se0yTlbZlK9' +
  'myD9F4IftfFipNGsu2paNle1a6ZZVt2Sq27OOt/8UBodK4yMnMDE+OOJ3twy4MNWWjbN6Jrv8bhEqPbFojU5l2C3ZS7vZSDDZtSti/RKg0vGE3' +
  'BdCwZ+a5pEF9XMNkw06N9p8yL5fElGzajcpnB+w5gOUCbsAVaBK3cPUBpSeYjc7hbD46B+piGZOjj4VZm3HqhSDmra8RayTq1xuPuWOPF805lc' +
  'xSF3VjC4eGtoyHH9vC82WfKp6O5+utdkuDhpWMYceVcPfgyePTlLPu0KRBg6PGcKOjuPd05r+z2/9sf4e3ANj+bH8Wbv+zOLKTQPO/GwUsQzVm' +
  '0rN1BrZBz5Vjk5WGcI2pN4aLtxnqSeSovs92bGvTJISRSrMQeAe5zH9u/3NZOPcZoPHfv4VKDpKe47mqgpI+adIslOnAWSgV+sv8Z/6DuCFUmh' +
  'pyOpKH1H65xi9NmoU0eRZyWP7PZP47u/9P/L8qVJrsxF4dQmKfT3dJ826kNc9CPyr/ZzH/efwHRI9QaeKY3ZGvmN2sSZOmLE2LmT0u/C9i/jt7' +
  '/If4v02o9BjkTF4BMvuVIrc0KXbBrGBmTyL+68x/7v+7RJYQy5RCwm4pRMK+amLvmSKmzPjw0UPFZxIzFb33+KRJoU5mjOmdSvxXb5aXcEk4+h' +
  'lg/5+ywzdjIvO5KJn/LFPWSfSPHP9foOL/34Kl4lNRcHdDX66OTbuLxX5p0TSKNbmmUTCLT/R2zME8vvasT1o0i2uN2ywuXn5R77oidfks7NxS' +
  'lJM5VlFOePaFvWWz8ewXVmrSpNgic+TYIjyurFebpVrwx1zSpPcxzMTwLXj1taEFzBL2/ywOrBroJbFyLgrmP4sD6U/xn4u5LJj/LA7tHQoR5X' +
  'Jg/rM4lv8mlwPzn8WR7O+n+f8VAmKoHlL6toc9OeJSpSatu59jnsLhe3i/FX1L56qx8f0uaVEkspWSkch4KwYuMWYC+38WB7p/Gv9NcFEw/1kc' +
  'SP/B+O/fhEpTWs76Ithmu+xyS4si0S3HR6JjqcRxqWYusP9ncWYdQP6/X9w/SiwF3HtZsXLvDT5p0ZsIFr+JMAruV+HyJJcE+38WJ/v/K0Klye' +
  'raG0vQtb+e55cWvZJmxdm1jxH3l+JSwyXB/p/Fid5/4Ps/x4RK4+7YD89Tjv15l7ToTQWL/51vnLn/FC51XBLs/1kc6P4Hv/+0UYzl17+FOFc4' +
  'Hz37Gws0adG7axb/O+ek5L76t6eVXBLs/1kc6P4H53+jQqVRefbaUuXZO93SoneeLf533hTmfvI/MMb5hg==';

const DATABASE = inflateSync(Buffer.from(PACKED, 'base64')).toString('latin1');
const NUMBERS = [0, 1, 200, 70_000, 20_000_000];

test('all rows of a table, over inner and overflow pages', () => {
  const rows = readTable(DATABASE, 'volumeconfig');
  assert.equal(rows?.length, 40);
  for (const [index, row] of rows.entries())
    assert.deepEqual(row, [`v${index}`, null, `{"i":${index},"pad":"${'x'.repeat(index * 37)}"}`, NUMBERS[index % 5]]);
  assert.equal(readTable(DATABASE, 'nothing'), undefined);
  assert.deepEqual(readTable(DATABASE, 'VolumeState'), []);
});

test('what is no database, or a damaged one, ends with an error of its own', () => {
  assert.throws(() => readTable('', 'x'), SqliteError);
  assert.throws(() => readTable('SQLite format 3', 'x'), SqliteError);
  let refused = 0;
  for (let at = 16; at < DATABASE.length; at += 61) {
    const damaged = DATABASE.slice(0, at) + String.fromCharCode(at % 256) + DATABASE.slice(at + 1);
    for (const bytes of [damaged, DATABASE.slice(0, at)]) {
      try {
        readTable(bytes, 'VolumeConfig');
      } catch (error) {
        assert.ok(error instanceof SqliteError, String(error));
        refused++;
      }
    }
  }
  assert.ok(refused > 100);
});
