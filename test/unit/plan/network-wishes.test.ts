import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, problems } from './helpers.ts';

test('a resolver without a network', () => {
  for (const option of ['dns', 'dns-search', 'dns-option']) {
    const said = problems([
      ['network', 'none'],
      [option, '1.1.1.1'],
    ]);
    assert.match(said[0] ?? '', /--dns, --dns-search and --dns-option have no effect with --network none/);
  }
});

test('what a network that is absent or shared cannot give is left out and told, or refused', () => {
  for (const network of ['host', 'none', 'container:db', 'ns:/run/netns/x']) {
    const [mode = ''] = network.split(':');
    const { ports, leftOut } = parse([
      ['network', network],
      ['publish', '8080:80'],
      ['network-alias', 'www'],
    ]);
    assert.deepEqual(ports, []);
    assert.deepEqual(
      leftOut.map(({ option, text }) => `${option}: ${text}`),
      [
        `publish: --publish has no effect with --network ${mode}: nothing is published`,
        `network-alias: --network-alias has no effect with --network ${mode}: nobody asks for names there`,
      ],
    );
  }
  assert.deepEqual(parse([['publish', '8080:80']]).leftOut, []);
  const refused = (network: string, option: string, value: string): string =>
    problems([
      ['network', network],
      [option, value],
    ]).join();
  assert.match(refused('container:db', 'dns', '192.0.2.9'), /--dns, .* have no effect with --network container/);
  assert.equal(refused('container:db', 'dns', 'none'), '');
  for (const network of ['none', 'ns:/run/netns/x'])
    assert.match(refused(network, 'add-host', 'x:host-gateway'), /--add-host x:host-gateway: no address of the host/);
  for (const network of ['host', 'container:db', 'blue'])
    assert.equal(refused(network, 'add-host', 'x:host-gateway'), '', network);
  const none = problems([
    ['no-hosts', 'true'],
    ['add-host', 'db:192.0.2.7'],
  ]);
  assert.deepEqual(none, ['--add-host has no effect with --no-hosts']);
});
