import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishAll } from '../../../src/plan/publish-all.ts';
import type { RunRequest } from '../../../src/plan/request.ts';
import { parse, problems } from './helpers.ts';
import { image } from './plan-helpers.ts';

test('--publish-all takes what the image and --expose name and nothing publishes', () => {
  const ports = (options: readonly (readonly [string, string])[], exposedPorts: readonly string[]) =>
    published(parse([['publish-all', 'true'], ...options]), exposedPorts).map(({ hostPort, port, count, protocol }) =>
      [hostPort, port, count, protocol].join(' '),
    );
  assert.deepEqual(ports([['publish', '9000:80']], ['80/tcp', '80/udp', '443', 'x/tcp', '81-82/UDP']), [
    '9000 80 1 tcp',
    '0 80 1 udp',
    '0 443 1 tcp',
    '0 81 1 udp',
    '0 82 1 udp',
  ]);
  assert.deepEqual(ports([['expose', '5-6/udp,443']], ['443/tcp']), ['0 443 1 tcp', '0 5 1 udp', '0 6 1 udp']);
  for (const mode of ['none', 'host', 'container:x', 'ns:/proc/1/ns/net'])
    assert.deepEqual(ports([['network', mode]], ['443/tcp']), []);
  assert.deepEqual(published(parse([]), ['443/tcp']), []);
  assert.match(problems([['expose', '0']])[0] ?? '', /--expose 0: 0 is not a port/);
});

test('an image that names every port is refused in no time', () => {
  const request = parse([['publish-all', 'true']]);
  const many = publishAll(request, image({ exposedPorts: ['1-65535/tcp', '1-65535/udp'] }));
  assert.match(many.isErr() ? (many.error[0]?.message ?? '') : '', /img exposes 131070 ports, more than 1000/);
  assert.equal(published(request, ['1-1000']).length, 1000);
  const own = parse([
    ['publish-all', 'true'],
    ['expose', '1-65535'],
  ]);
  assert.equal(published(own, ['80']).length, 65535);
});

function published(request: RunRequest, exposedPorts: readonly string[]): RunRequest['ports'] {
  const result = publishAll(request, image({ exposedPorts }));
  assert.ok(result.isOk());
  return result.value.ports;
}
