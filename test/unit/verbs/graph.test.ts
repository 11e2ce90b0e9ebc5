import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeText } from '../../../src/base/text.ts';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { main } from '../../../src/verbs/graph.ts';

const SHOP: Readonly<Record<string, string>> = {
  '/q/web.container': '[Container]\nImage=localhost/app\nPod=shop.pod\n[Unit]\nAfter=db.service\nRequires=db.service\n',
  '/q/db.container': '[Container]\nImage=localhost/db\nPod=shop.pod\nVolume=data.volume:/data\n',
  '/q/shop.pod': '[Pod]\nNetwork=back.network\n',
  '/q/data.volume': '[Volume]\n',
  '/q/back.network': '[Network]\n',
};

function run(words: readonly string[], files = SHOP): { host: FakeHost; status: number } {
  const host = fakeHost({ argv: ['berth', ...words], files, calls: { realpath: path => path, cwd: () => '/q' } });
  return { host, status: main(host) };
}

interface Graph {
  nodes: { unit: string; file: string; failed: boolean }[];
  edges: { from: string; to: string; keys: string[] }[];
}

function graph(words: readonly string[], files = SHOP): Graph {
  return JSON.parse(run(['graph', '--format=json', ...words, '/q'], files).host.written.out) as Graph;
}

test('a tree from what nothing depends on; what stands above is not drawn again', () => {
  const { host, status } = run(['graph', '/q']);
  assert.equal(status, 0);
  assert.equal(
    decodeText(host.written.out),
    `web.service  (web.container)
├─ Requires  db.service  (db.container)
│  ├─ Requires  data-volume.service  (data.volume)
│  └─ BindsTo   shop-pod.service  (shop.pod)
│     └─ Requires  back-network.service  (back.network)
└─ BindsTo   shop-pod.service  (shop.pod) …
`,
  );
});

test('--all has the network that all wait for, and what a pod says of its members', () => {
  const [some, all] = [graph([]), graph(['--all'])];
  assert.equal(some.nodes.length, 5);
  assert.ok(all.nodes.some(node => node.unit === 'network-online.target' && node.file === ''));
  const back = (drawn: Graph): boolean =>
    drawn.edges.some(edge => edge.from === 'shop-pod.service' && edge.to === 'web.service');
  assert.deepEqual([back(some), back(all)], [false, true]);
});

test('a unit that is not ours is drawn, one of a file beside it with its file', () => {
  const drawn = graph([], {
    '/q/a.container': '[Container]\nImage=x/y\n[Unit]\nWants=redis.service\nBefore=late.service\n',
  });
  assert.deepEqual(drawn.edges, [
    { from: 'a.service', to: 'redis.service', keys: ['Wants'] },
    { from: 'late.service', to: 'a.service', keys: ['After'] },
  ]);
  const { host } = run(['graph', '--format', 'json', 'db.container']);
  const one = JSON.parse(host.written.out) as Graph;
  assert.deepEqual(
    one.nodes.map(node => node.file),
    ['back.network', 'data.volume', 'db.container', 'shop.pod'],
  );
});

test('an empty value takes back what the generator said', () => {
  const text = '[Container]\nImage=x/y\n[Unit]\nWants=redis.service\nWants=\nWants=other.service\n';
  assert.deepEqual(
    graph([], { '/q/a.container': text }).edges.map(edge => edge.to),
    ['other.service'],
  );
});

test('a file that cannot be translated is drawn as failed, and named', () => {
  const files = { '/q/a.container': '[Container]\nImage=x/y\nVolume=none.volume:/x\n' };
  const { host, status } = run(['graph', '--format=dot', '/q'], files);
  assert.equal(status, 1);
  assert.match(host.written.out, /"a\.service" \[label="a\.service\na\.container", color=red\];/);
  assert.match(host.written.err, /^berth: graph: could not be translated: a\.service; `berth check` says why\n$/);
});

test('names cannot leave their place in dot, svg or text', () => {
  const files = { '/q/a.container': '[Container]\nImage=x/y\n[Unit]\nWants=e<b>&\\x22;\\x1b[1m.service\n' };
  const dot = run(['graph', '--format=dot', '/q'], files).host.written.out;
  assert.match(dot, /"e<b>&\\\\x22;\\\\x1b\[1m\.service"|"e<b>&\\";/);
  const svg = run(['graph', '--format=svg', '/q'], files).host.written.out;
  assert.ok(svg.includes('e&lt;b&gt;&amp;'.replace('&gt;', '>')) && !svg.includes('<b>') && !svg.includes('\x1b'));
  assert.ok(!run(['graph', '/q'], files).host.written.out.includes('\x1b'));
});

test('a cycle has an end in every format', () => {
  const files = {
    '/q/a.container': '[Container]\nImage=x/y\n[Unit]\nWants=b.service\n',
    '/q/b.container': '[Container]\nImage=x/y\n[Unit]\nWants=a.service\n',
  };
  for (const format of ['text', 'dot', 'svg', 'json']) {
    assert.match(run(['graph', '--format', format, '/q'], files).host.written.out, /a\.service[^]*b\.service/);
  }
});

test('a format that is not there is one line and status 2', () => {
  const { host, status } = run(['graph', '--format=png', '/q']);
  assert.deepEqual([status, host.written.err], [2, 'berth: graph: --format is png: write text, dot, svg, json\n']);
});
