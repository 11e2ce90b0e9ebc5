import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EVENTS, eventText } from '../../../src/base/events.ts';

const ROOT = join(import.meta.dirname, '../../..');

test('every event is in the catalog, and nothing else is', () => {
  const catalog = readFileSync(join(ROOT, 'packaging/catalog/berth.catalog'), 'utf8');
  const explained = [...catalog.matchAll(/^-- ([0-9a-f]{32})$/gm)].map(match => match[1]);
  assert.deepEqual(
    explained,
    Object.values(EVENTS).map(event => event.id),
  );
});

test('a value cannot begin a field', () => {
  const text = eventText('pull', 'pulled a\nPRIORITY=0', { BERTH_NAME: 'a\nPRIORITY=0', BERTH_ID: '' });
  assert.match(
    text,
    /^MESSAGE_ID=[0-9a-f]{32}\nPRIORITY=6\nBERTH_EVENT=pull\nBERTH_NAME=a\?PRIORITY=0\nMESSAGE=berth: pulled a\?PRIORITY=0\n$/,
  );
});
