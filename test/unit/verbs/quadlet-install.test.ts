import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { HostError, type Host } from '../../../src/host/host.ts';
import { APP, install, INTO, TEXT } from './quadlet-install-helpers.ts';

const BOTH = '# FileName=one\n[Container]\nImage=localhost/a\n---\n# FileName=two\n[Volume]\n';

const named =
  (disposition: string, text = TEXT) =>
  (response: ServerResponse) =>
    void response.writeHead(200, { 'content-disposition': disposition }).end(text, 'latin1');
const redirect = (to: string) => (response: ServerResponse) => void response.writeHead(302, { location: to }).end();

/** What the server answers, by path. */
const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/web.container': response => void response.end(TEXT, 'latin1'),
  '/both.quadlets': response => void response.end(BOTH, 'latin1'),
  '/outside.quadlets': response => void response.end(BOTH.replace('=one', '=../one'), 'latin1'),
  '/download': named('attachment; filename="given.container"'),
  '/bare': named('attachment; filename=bare.container; size=3'),
  '/extended': named(`attachment; filename="x.container"; filename*=UTF-8''%65xtended.container`),
  '/above': named('attachment; filename="../../../etc/above.container"'),
  '/%2e%2e%2f%2e%2e%2fup.container': response => void response.end(TEXT, 'latin1'),
  '/hidden': named('attachment; filename="..%2f/.."'),
  '/control': named(`attachment; filename*=UTF-8''a%0ab.container`),
  '/text.txt': response => void response.end(TEXT, 'latin1'),
  '/moved.container': redirect('/web.container'),
  '/round.container': redirect('/round.container'),
  '/elsewhere.container': redirect('file:///etc/passwd'),
  '/gone.container': response => void response.writeHead(404).end('no\n'),
  '/announced.container': response => void response.writeHead(200, { 'content-length': String(17 << 20) }).end(),
  '/endless.container': response => endless(response),
  '/cut.container': response =>
    void response.writeHead(200, { 'content-length': '100' }).write('a', () => response.destroy()),
};

function endless(response: ServerResponse): void {
  const piece = Buffer.alloc(1 << 20, '#');
  const more = (): void => {
    if (!response.destroyed) response.write(piece, more);
  };
  more();
}

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  ANSWERS[(request.url ?? '').split('?')[0] ?? '']?.(response);
});
let top = '';
before(async () => {
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  top = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

for (const [path, name] of [
  ['/web.container', 'web.container'],
  ['/web.container?x=/y.container#/z', 'web.container'],
  ['/moved.container', 'moved.container'],
  ['/download', 'given.container'],
  ['/bare', 'bare.container'],
  ['/extended', 'extended.container'],
  ['/above', 'above.container'],
  ['/%2e%2e%2f%2e%2e%2fup.container', 'up.container'],
] as const) {
  test(`from a server: ${path}`, async () => {
    const { host, status, files } = await install([top + path]);
    assert.equal(host.written.err, '');
    assert.equal(status, 0);
    assert.deepEqual(files, { [name]: TEXT, [`.${name}.app`]: `${name}\n` });
    assert.equal(host.written.out, `${INTO}/${name}\n`);
  });
}

for (const [path, said] of [
  ['/gone.container', 'the server says 404 Not Found'],
  ['/round.container', 'more than 5 redirections'],
  ['/elsewhere.container', 'redirected to file:///etc/passwd, which is not https'],
  ['/announced.container', 'the file is larger than 16 MiB'],
  ['/endless.container', 'the file is larger than 16 MiB'],
  ['/hidden', 'it gives no name of a file'],
  ['/control', 'its name has control characters'],
  ['/', 'it gives no name of a file'],
] as const) {
  test(`one line and nothing installed: ${path}`, async () => {
    if (path === '/') Object.assign(ANSWERS, { '/': ANSWERS['/web.container'] });
    const { host, status, files } = await install([top + path]);
    assert.equal(host.written.err, `berth: quadlet install: ${top}${path}: ${said}\n`);
    assert.deepEqual([status, files, host.written.out], [125, {}, '']);
  });
}

test('a name that ends in no unit type, a connection that ends early, and nobody there', async () => {
  const text = await install([`${top}/text.txt`]);
  assert.equal(text.host.written.err, `berth: quadlet install: ${top}/text.txt: its name ends in no unit type\n`);
  for (const url of [`${top}/cut.container`, 'http://127.0.0.1:1/a.container', 'http://a b/c.container']) {
    const failed = await install([url]);
    assert.match(failed.host.written.err, /^berth: quadlet install: http[^\n]*: [^\n]+\n$/);
    assert.doesNotMatch(failed.host.written.err, /fetch failed|terminated/);
    if (url.endsWith('/cut.container')) assert.match(failed.host.written.err, /: the answer broke off after 1 bytes: /);
    assert.deepEqual([failed.status, failed.files], [125, {}]);
  }
});

test('an address that is not the first word, or of another kind', async () => {
  const said = 'only the first word can be an address, by http or https';
  for (const operands of [['ftp://192.0.2.1/a.container'], [`${top}/web.container`, `${top}/b.container`]]) {
    const { host, status, files } = await install(operands);
    assert.equal(host.written.err, `berth: quadlet install: ${operands.at(-1) ?? ''}: ${said}\n`);
    assert.deepEqual([status, files], [125, {}]);
  }
});

test('a .quadlets file from a server, and more files with it', async () => {
  const own = { '/q/c.network': '[Network]\n' };
  const { status, files } = await install([`${top}/both.quadlets`, '/q/c.network'], own);
  assert.equal(status, 0);
  assert.deepEqual(Object.keys(files).sort(), ['.both.app', 'c.network', 'one.container', 'two.volume']);
  assert.equal(files['.both.app'], 'one.container\ntwo.volume\nc.network\n');
  const outside = await install([`${top}/outside.quadlets`]);
  assert.deepEqual([outside.status, outside.files], [125, {}]);
  assert.match(
    outside.host.written.err,
    /^berth: quadlet install: [^\n]*FileName=..\/one is no name of a file[^\n]*\n$/,
  );
});

test('files and directories of this machine; what is there stays, unless --replace', async () => {
  const { host, status, files } = await install(['/q/app', '/q/c.pod'], APP);
  assert.deepEqual([host.written.err, status], ['', 0]);
  assert.equal(files['.app.app'], 'a.container\nb.volume\nconfig\nc.pod\n');
  const there = { ...APP, [`${INTO}/c.pod`]: 'old\n' };
  const kept = await install(['/q/app', '/q/c.pod'], there);
  assert.deepEqual([kept.status, kept.files], [125, { 'c.pod': 'old\n' }]);
  assert.match(kept.host.written.err, /already exists, refusing to overwrite; use --replace\n$/);
  assert.equal((await install(['/q/c.pod'], there, ['replace'])).files['c.pod'], '[Pod]\n');
});

test('a file belongs to the application that it came with last', async () => {
  const there = {
    ...APP,
    [`${INTO}/c.pod`]: 'old\n',
    [`${INTO}/.c.pod.app`]: 'c.pod\n',
    [`${INTO}/.x.app`]: 'c.pod\nd\n',
  };
  const { status, files } = await install(['/q/app', '/q/c.pod'], there, ['replace']);
  assert.equal(status, 0);
  assert.deepEqual([files['.app.app'], files['.x.app']], ['a.container\nb.volume\nconfig\nc.pod\n', 'd\n']);
  assert.ok(!('.c.pod.app' in files));
});

test('all or nothing: what cannot be read, stands twice, or is no unit', async () => {
  const tree = { ...APP, '/q/app/sub/x': '', '/q/d/c.pod': '[Pod]\n', '/q/none/README': '' };
  for (const [operands, said] of [
    [['/q/none.container', '/q/c.pod'], '/q/none.container: no such file'],
    [['/q/c.pod', '/q/none'], '/q/none: is a directory; `berth up` takes them, too'],
    [['/q/app'], '/q/app/sub: is a directory; `berth up` takes them, too'],
    [['/q/c.pod', '/q/d/c.pod'], '/q/d/c.pod: /q/c.pod has the same name'],
    [['/q/none'], '/q/none: no unit file is in it'],
  ] as const) {
    const { host, status, files } = await install(operands, tree);
    assert.equal(host.written.err, `berth: quadlet install: ${said}\n`);
    assert.deepEqual([status, files, host.written.out], [125, {}, '']);
  }
});

test('the name of an application is never that of a dot', async () => {
  const calls = { realpath: (path: string) => (path === '/q/app/.' ? '/q/app' : path) };
  const tree = { '/q/app/a.container': TEXT, '/q/app/./a.container': TEXT };
  assert.ok('.app.app' in (await install(['/q/app/.'], tree, [], calls)).files);
});

test('a unit with a mistake is not installed, unless --force; its place is that of the source', async () => {
  const text = '# FileName=one\n[Container]\nImage=localhost/a\n---\n# FileName=two\n[Volume]\nImages=x\n';
  const { host, status, files } = await install(['/q/b.quadlets'], { '/q/b.quadlets': text });
  assert.deepEqual([status, files, host.written.out], [125, {}, '']);
  assert.match(
    host.written.err,
    /^berth: quadlet install: \/q\/b.quadlets:7:1: unsupported key 'Images' in group 'Volume' [^\n]*; did you mean `Image`\?\nberth: quadlet install: nothing was installed; repair this, or use --force: [^\n]+\n$/,
  );
  const forced = await install(['/q/b.quadlets'], { '/q/b.quadlets': text }, ['force']);
  assert.equal(forced.status, 0);
  assert.match(forced.host.written.err, /^berth: quadlet install: warning: \/q\/b.quadlets:7:1: unsupported key/);
  assert.deepEqual(Object.keys(forced.files).sort(), ['.b.app', 'one.container', 'two.volume']);
});

test('what a unit refers to may come with it, be there, or come later', async () => {
  const tree = { '/q/a.container': `${TEXT}Volume=d.volume:/d\n`, '/q/d.volume': '[Volume]\n' };
  const both = await install(['/q/a.container', '/q/d.volume'], tree);
  assert.deepEqual([both.status, both.host.written.err], [0, '']);
  const there = await install(['/q/a.container'], { ...tree, [`${INTO}/d.volume`]: '[Volume]\n' });
  assert.deepEqual([there.status, there.host.written.err], [0, '']);
  const later = await install(['/q/a.container'], tree);
  assert.equal(later.status, 0);
  assert.match(
    later.host.written.err,
    /^berth: quadlet install: warning: \/q\/a.container:4:8: requested Quadlet source d.volume was not found; [^\n]+\n$/,
  );
});

test('a write that fails takes back those before it', async () => {
  const files = { ...APP, [`${INTO}/a.container`]: 'old\n' };
  const writes: string[] = [];
  const writeFileAtomic: Host['writeFileAtomic'] = path => {
    writes.push(path);
    if (path.endsWith('/config')) throw new HostError('write', 'ENOSPC', 28, 'No space left on device', path);
  };
  await assert.rejects(install(['/q/app'], files, ['replace'], { writeFileAtomic }), /No space left/);
  assert.deepEqual(
    writes.map(path => path.slice(INTO.length + 1)),
    ['a.container', 'b.volume', 'config', 'a.container'],
  );
});
