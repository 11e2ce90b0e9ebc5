import assert from 'node:assert/strict';
import { test } from 'node:test';
import { across } from './cross-helpers.ts';

const IMAGE = '[Container]\nImage=localhost/i\n';

test('two containers on one host port', () => {
  const port = (text: string): string => `${IMAGE}PublishPort=${text}\n`;
  for (const [one, other] of [
    ['8080:80', '8080:81'],
    ['8000-8100:80-180', '127.0.0.1:8080:81'],
    ['81:81,8080:80', '8080:81'],
    ['8080:81', '81:81,8080:80'],
    ['0.0.0.0:8080:80', '127.0.0.1:8080:81'],
    ['[::]:8080:80', '[::1]:8080:81'],
    ['[::]:8080:80', '8080:81'],
  ] as const) {
    const found = across({ 'a.container': port(one), 'b.container': port(other) });
    assert.deepEqual(found, ['error port-taken /q/b.container:3'], `${one} ${other}`);
  }
  for (const [one, other] of [
    ['8080:80', '8080:80/udp'],
    ['8080:80,81:81', '8081:80,80:81'],
    ['127.0.0.1:8080:80', '127.0.0.2:8080:80'],
    ['0.0.0.0:8080:80', '[::]:8080:80'],
    ['[::]:8080:80', '127.0.0.1:8080:80'],
    ['0.0.0.0:8080:80', '[::1]:8080:80'],
    ['8080:80', '8081:80'],
    ['80', '80'],
    ['${PORT}:80', '${PORT}:80'],
  ] as const) {
    assert.deepEqual(across({ 'a.container': port(one), 'b.container': port(other) }), [], `${one} ${other}`);
  }
});

test('what has a part in a problem is told of it, whichever of the files is asked for', () => {
  const port = `${IMAGE}PublishPort=8080:80\n`;
  const need = (name: string): string => `[Unit]\nRequires=${name}\n${IMAGE}`;
  const files = { 'a.container': port, 'b.container': port, 'c.container': port };
  for (const name of ['a', 'b', 'c']) {
    const found = across(files, [`${name}.container`]);
    assert.deepEqual([...new Set(found)], [`error port-taken /q/${name}.container:3`]);
  }
  const circle = {
    'a.container': need('b.container'),
    'b.container': need('c.container'),
    'c.container': need('a.container'),
  };
  for (const name of ['a', 'b', 'c'])
    assert.deepEqual(across(circle, [`${name}.container`]), [`error cycle /q/${name}.container:2`]);
  assert.deepEqual(across({ ...files, ...circle, 'd.container': IMAGE }, ['d.container']), []);
});

test('what a drop-in resets is no member, and needs nothing', () => {
  const member = `${IMAGE}Pod=a.pod\nPublishPort=80:80\n[Container]\nPod=\n`;
  assert.deepEqual(across({ 'a.pod': '[Pod]\n', 'b.container': member }), []);
});
